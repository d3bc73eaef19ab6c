"""The tables of what people decide: switches, approvals, rulesets, proposals and drafts of credit notes, with what the gate said of these.

Belongs here: their columns and checks. ``state.tables`` has the others and names these too.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from state.metadata import metadata
from state.types import Instant, JsonText, Money

kill_switches = Table(
    "kill_switches",
    metadata,
    Column("switch_id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("name", Text, nullable=False),
    Column("pulled_by", String(140), nullable=False),
    Column("pulled_because", Text, nullable=False),
    Column("pulled_at", Instant, nullable=False),
    Column("release_asked_by", String(140)),
    Column("release_asked_because", Text),
    Column("release_asked_at", Instant),
    Column("released_by", String(140)),
    Column("released_because", Text),
    Column("released_at", Instant),
    CheckConstraint(
        "(kind = 'global' AND name = '') OR (kind IN ('destination', 'company') AND name <> '')", name="scope"
    ),
    CheckConstraint(
        "released_at IS NULL OR (released_by IS NOT NULL AND release_asked_by IS NOT NULL "
        "AND trim(released_by) <> '' AND lower(trim(released_by)) <> lower(trim(release_asked_by)))",
        name="two_people",
    ),
    Index(
        "ix_kill_switches_standing",
        "kind",
        "name",
        unique=True,
        sqlite_where=text("released_at IS NULL"),
        postgresql_where=text("released_at IS NULL"),
    ),
)

approvals = Table(
    "approvals",
    metadata,
    Column("approval_id", Integer, primary_key=True),
    Column("business_id", String(140), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("shipment_no", Text, nullable=False),
    Column("decision_id", String(64), nullable=False),
    Column("codes", JsonText, nullable=False),
    Column("input_hash", String(64), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("ruleset_version", String(140), nullable=False),
    Column("amount", Money),
    Column("currency", String(3)),
    Column("asked_by", String(140), nullable=False),
    Column("asked_because", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("answer", String(20)),
    Column("answered_by", String(140)),
    Column("answered_because", Text),
    Column("answered_at", Instant),
    CheckConstraint("answer IN ('granted', 'rejected')", name="answer"),
    CheckConstraint(
        "answer IS NULL OR (answered_by IS NOT NULL AND answered_at IS NOT NULL "
        "AND trim(answered_by) <> '' AND lower(trim(answered_by)) <> lower(trim(asked_by)))",
        name="four_eyes",
    ),
    Index("ix_approvals_business", "business_id", "revision", "approval_id"),
)

rulesets = Table(
    "rulesets",
    metadata,
    Column("ruleset_id", Integer, primary_key=True),
    Column("gate", String(20), nullable=False),
    Column("ruleset_version", String(140), nullable=False),
    Column("policy_version", String(140), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("proposed_by", String(140), nullable=False),
    Column("proposed_because", Text, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("answer", String(20)),
    Column("answered_by", String(140)),
    Column("answered_because", Text),
    Column("answered_at", Instant),
    Column("answered_for", String(140)),
    CheckConstraint("gate IN ('flows', 'credit_notes')", name="gate"),
    CheckConstraint("answer IN ('shipped', 'granted', 'rejected')", name="answer"),
    CheckConstraint(
        "answer IS NULL OR (answered_by IS NOT NULL AND answered_at IS NOT NULL AND trim(answered_by) <> '' "
        "AND (answer = 'shipped' OR lower(trim(answered_by)) <> lower(trim(proposed_by))))",
        name="four_eyes",
    ),
    CheckConstraint(
        "answer IS NULL OR (answered_for IS NOT NULL AND answered_for = ruleset_version)", name="bound"
    ),
    CheckConstraint(
        "trim(proposed_by) <> '' AND trim(proposed_because) <> '' AND (answer IS NULL "
        "OR (answered_because IS NOT NULL AND trim(answered_because) <> ''))",
        name="said",
    ),
    Index("ix_rulesets_gate", "gate", "ruleset_id"),
)

outbox_proposals = Table(
    "outbox_proposals",
    metadata,
    Column("proposal_id", Integer, primary_key=True),
    Column("idempotency_key", String(64), nullable=False),
    Column("shipment_no", Text, nullable=False),
    Column("from_state", String(20), nullable=False),
    Column("to_state", String(20), nullable=False),
    Column("found", JsonText, nullable=False),
    Column("proposed_by", String(140), nullable=False),
    Column("proposed_because", Text, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("confirmed_by", String(140)),
    Column("confirmed_because", Text),
    Column("confirmed_at", Instant),
    CheckConstraint(
        "confirmed_at IS NULL OR (confirmed_by IS NOT NULL "
        "AND trim(confirmed_by) <> '' AND lower(trim(confirmed_by)) <> lower(trim(proposed_by)))",
        name="four_eyes",
    ),
    Index("ix_outbox_proposals_key", "idempotency_key", "proposal_id"),
)

credit_notes = Table(
    "credit_notes",
    metadata,
    Column("credit_note_id", Integer, primary_key=True),
    Column("idempotency_key", String(64), nullable=False),
    Column("invoice_key", String(64), nullable=False),
    Column("shipment_no", Text, nullable=False),
    Column("credited_erp_id", Text, nullable=False),
    Column("amount", Money, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("payload_hash", String(64), nullable=False),
    Column("cause", String(20), nullable=False),
    Column("cause_key", Text, nullable=False),
    Column("drafted_by", String(140), nullable=False),
    Column("drafted_because", Text, nullable=False),
    Column("drafted_at", Instant, nullable=False),
    Column("answer", String(20)),
    Column("answered_by", String(140)),
    Column("answered_because", Text),
    Column("answered_at", Instant),
    CheckConstraint("cause IN ('voided', 'superseded', 'asked')", name="cause"),
    CheckConstraint("answer IN ('granted', 'rejected', 'withdrawn')", name="answer"),
    CheckConstraint(
        "answer IS NULL OR (answered_by IS NOT NULL AND answered_at IS NOT NULL AND trim(answered_by) <> '' "
        "AND (answer = 'withdrawn' OR lower(trim(answered_by)) <> lower(trim(drafted_by))))",
        name="four_eyes",
    ),
    Index(
        "ix_credit_notes_open",
        "idempotency_key",
        unique=True,
        sqlite_where=text("answer IS NULL"),
        postgresql_where=text("answer IS NULL"),
    ),
)

credit_decisions = Table(
    "credit_decisions",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("idempotency_key", String(64), nullable=False),
    Column("invoice_key", String(64), nullable=False),
    Column("shipment_no", Text, nullable=False),
    Column("payload_hash", String(64), nullable=False),
    Column("step", String(20), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("codes", JsonText, nullable=False),
    Column("reasons", JsonText, nullable=False),
    Column("inputs", LargeBinary, nullable=False),
    Column("input_hash", String(64), nullable=False),
    Column("ruleset_version", String(64), nullable=False),
    Column("policy_version", String(140), nullable=False),
    Column("rules_approved_by", String(140)),
    Column("decided_at", Instant, nullable=False),
    CheckConstraint("step IN ('draft', 'approval', 'sending')", name="step"),
    CheckConstraint(
        "(verdict = 'released' AND codes = '[]' AND rules_approved_by IS NOT NULL) "
        "OR (verdict = 'blocked' AND codes <> '[]')",
        name="verdict",
    ),
    Index("ix_credit_decisions_note", "idempotency_key", "sequence"),
)
