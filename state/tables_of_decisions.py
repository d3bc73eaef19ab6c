"""The tables of what the gate decided, and of what each decision was made on."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, LargeBinary, String, Table, Text

from state.metadata import metadata
from state.types import Instant, JsonText, Money

gate_decisions = Table(
    "gate_decisions",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("decision_id", String(64), nullable=False, unique=True),
    Column("business_id", String(140), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("company_id", Text),
    Column("order_no", Text),
    Column("shipment_no", Text, nullable=False),
    Column("customer_id", Text),
    Column("verdict", String(20), nullable=False),
    Column("codes", JsonText, nullable=False),
    Column("warnings", JsonText, nullable=False),
    Column("reasons", JsonText, nullable=False),
    Column("input_hash", String(64), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("ruleset_version", String(140), nullable=False),
    Column("policy_version", String(140), nullable=False),
    Column("as_of", Instant, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("amount", Money),
    Column("currency", String(3)),
    Column("run_id", String(140), nullable=False),
    Column("is_first_evaluation", Boolean, nullable=False),
    Column("rules_approved_by", String(140)),
    Column("operation", String(40), nullable=False, server_default="invoice"),
    Column("inputs_batch", String(64)),
    CheckConstraint("verdict IN ('released', 'blocked')", name="verdict"),
    Index("ix_gate_decisions_business", "business_id", "revision", "sequence"),
)

gate_inputs = Table(
    "gate_inputs",
    metadata,
    Column("inputs_batch", String(64), primary_key=True),
    Column("decision_count", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
