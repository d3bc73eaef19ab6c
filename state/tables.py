"""The tables of the state store. Portable to PostgreSQL; Alembic makes them (``migrations/``)."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from state import tables_of_decisions, tables_of_keys, tables_of_messages, tables_of_people, tables_of_pushers
from state.letter_states import DECIDED, STATUSES
from state.metadata import metadata
from state.transitions import SEEN_AS, STATES
from state.types import Instant, JsonText, Money

__all__ = [
    "metadata", "tables_of_decisions", "tables_of_keys", "tables_of_messages", "tables_of_people", "tables_of_pushers",
]  # fmt: skip
"""All tables are registered once this module is imported."""

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("dead_letter_id", String(64), primary_key=True),
    Column("connection", String(140), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("resource", String(80), nullable=False),
    Column("source_id", Text),
    Column("order_ref", Text),
    Column("shipment_ref", Text),
    Column("reason", String(60), nullable=False),
    Column("detail", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("raw_sha256", String(64), nullable=False),
    Column("trace_id", String(140), nullable=False),
    Column("run_id", String(140), nullable=False),
    Column("status", String(20), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("park_until", Instant),
    Column("source_version", Instant),
    Column("fields", JsonText),
    Column("decided_by", String(140)),
    Column("decided_because", Text),
    Column("decided_at", Instant),
    CheckConstraint(f"status IN {STATUSES!r}", name="status"),
    CheckConstraint(
        f"status NOT IN {DECIDED!r} OR (decided_by IS NOT NULL AND trim(decided_by) <> '' "
        "AND decided_because IS NOT NULL AND trim(decided_because) <> '' AND decided_at IS NOT NULL)",
        name="decided",
    ),
    Index("ix_dead_letters_where", "connection", "resource", "status"),
    Index("ix_dead_letters_sent", "connection", "resource", "raw_sha256"),
    Index("ix_dead_letters_trace", "trace_id"),
)

dead_letter_fixes = Table(
    "dead_letter_fixes",
    metadata,
    Column("dead_letter_id", String(64), primary_key=True),
    Column("fix_no", Integer, primary_key=True, autoincrement=False),
    Column("fields", JsonText, nullable=False),
    Column("source_version", Instant, nullable=False),
    Column("fixed_by", String(140), nullable=False),
    Column("fixed_because", Text, nullable=False),
    Column("fixed_at", Instant, nullable=False),
    CheckConstraint("trim(fixed_by) <> '' AND trim(fixed_because) <> ''", name="said"),
)

observations = Table(
    "observations",
    metadata,
    Column("observation_id", Integer, primary_key=True),
    Column("connection", String(140), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("observed_at", Instant, nullable=False),
    Column("source_clock", Instant),
    Column("error", Text),
    Column("remedy", Text),
    Index("ix_observations_connection", "connection", "observation_id"),
)

ingest_counts = Table(
    "ingest_counts",
    metadata,
    Column("run_id", String(140), primary_key=True),
    Column("connection", String(140), primary_key=True),
    Column("source", String(80), primary_key=True),
    Column("resource", String(80), primary_key=True),
    Column("rows_in", Integer, nullable=False),
    Column("loaded", Integer, nullable=False),
    Column("dead_lettered", Integer, nullable=False),
    Column("duplicate", Integer, nullable=False),
    Column("parked", Integer, nullable=False),
    Column("counted_at", Instant, nullable=False),
    CheckConstraint("rows_in = loaded + dead_lettered + duplicate + parked", name="adds_up"),
)

source_fields = Table(
    "source_fields",
    metadata,
    Column("connection", String(140), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("resource", String(80), primary_key=True),
    Column("field", String(140), primary_key=True),
    Column("is_agreed", Boolean, nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("first_run_id", String(140), nullable=False),
)

_TAKEN = text("leased_by IS NOT NULL")
outbox = Table(
    "outbox",
    metadata,
    Column("outbox_id", Integer, primary_key=True),
    Column("idempotency_key", String(64), nullable=False, unique=True),
    Column("company", Text, nullable=False),
    Column("destination", String(140), nullable=False),
    Column("operation", String(40), nullable=False),
    Column("business_id", String(140), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("shipment_no", Text, nullable=False),
    Column("decision_id", String(64), nullable=False),
    Column("payload_hash", String(64), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("input_hash", String(64), nullable=False),
    Column("amount", Money, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("state", String(20), nullable=False),
    Column("fencing_token", Integer, nullable=False),
    Column("leased_by", String(140)),
    Column("leased_until", Instant),
    Column("attempt_count", Integer, nullable=False),
    Column("may_exist", Boolean, nullable=False),
    Column("seen_as", String(10)),
    Column("not_before", Instant),
    Column("last_error", Text),
    Column("enqueued_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("order_key", String(140)),
    UniqueConstraint("company", "destination", "operation", "business_id", "revision"),
    CheckConstraint(f"state IN {STATES!r}", name="state"),
    CheckConstraint(f"seen_as IN {SEEN_AS!r}", name="seen_as"),
    Index("ix_outbox_turn", "destination", "state", "outbox_id"),
    Index("ix_outbox_order", "order_key", "destination", "operation"),
    # Of the many that wait those few that somebody works on.
    Index(
        "ix_outbox_leased", "destination", "state", "leased_by", sqlite_where=_TAKEN, postgresql_where=_TAKEN
    ),
)

outbox_documents = Table(
    "outbox_documents",
    metadata,
    Column("idempotency_key", String(64), primary_key=True),
    Column("payload_hash", String(64), primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)

charge_lines = Table(
    "charge_lines",
    metadata,
    Column("charge_key", String(400), primary_key=True),
    Column("idempotency_key", String(64), nullable=False),
)

push_attempts = Table(
    "push_attempts",
    metadata,
    Column("attempt_id", Integer, primary_key=True),
    Column("idempotency_key", String(64), nullable=False),
    Column("attempt_no", Integer, nullable=False),
    Column("worker", String(140), nullable=False),
    Column("fencing_token", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", String(40)),
    Column("http_status", Integer),
    Column("detail", Text),
    Column("erp_id", Text),
    Column("seen_as", String(10)),
    UniqueConstraint("idempotency_key", "attempt_no"),
    CheckConstraint(f"seen_as IN {SEEN_AS!r}", name="seen_as"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("idempotency_key", String(64), primary_key=True),
    Column("destination", String(140), nullable=False),
    Column("company", Text, nullable=False),
    Column("business_id", String(140), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("shipment_no", Text, nullable=False),
    Column("erp_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("order_no", Text),
    Column("currency", String(3), nullable=False),
    Column("net_total_amount", Money, nullable=False),
    Column("tax_total_amount", Money, nullable=False),
    Column("grand_total_amount", Money, nullable=False),
    Column("issue_date", String(10)),
    Column("posted_at", Instant, nullable=False),
    Column("read_back_at", Instant, nullable=False),
    Column("total_quantity", Money),
)

ledger = Table(
    "ledger",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("recorded_at", Instant, nullable=False),
    Column("event", String(60), nullable=False),
    Column("actor", String(140), nullable=False),
    Column("subject", String(140), nullable=False),
    Column("detail", JsonText, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("row_hash", String(64), nullable=False),
)

reconciliation_differences = Table(
    "reconciliation_differences",
    metadata,
    Column("difference_id", String(64), primary_key=True),
    Column("destination", String(140), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("idempotency_key", String(64), nullable=False),
    Column("erp_id", Text, nullable=False),
    Column("shipment_no", Text),
    Column("company", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("issue_date", String(10)),
    Column("acknowledged_amount", Money),
    Column("found_amount", Money),
    Column("detail", Text, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("settled_by", String(140)),
    Column("settled_because", Text),
    CheckConstraint("kind IN ('missing', 'extra', 'different')", name="kind"),
)

store_identity = Table(
    "store_identity",
    metadata,
    Column("row_no", Integer, primary_key=True, server_default="1", autoincrement=False),
    Column("store_id", String(32), nullable=False),
    CheckConstraint("row_no = 1", name="one_row"),
)

breakers = Table(
    "breakers",
    metadata,
    Column("destination", String(140), primary_key=True),
    Column("open_until", Instant, nullable=False),
    Column("opening_s", Integer, nullable=False),
    Column("left_to_post", Integer, nullable=False),
    Column("is_probed", Boolean, nullable=False),
)
