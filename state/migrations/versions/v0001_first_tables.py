"""The first tables and the triggers that guard them, written out: what a migration did never changes.

Nothing is imported from the tables as they are today; ``tests/unit/state/test_migrations.py`` holds that all
migrations together make those.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_EFFECT = ("company", "destination", "operation", "business_id", "revision")
_STATES = (
    "state IN ('READY', 'SENDING', 'UNKNOWN', 'RETRY_WAIT', 'BLOCKED', 'DEAD', 'HELD', 'CONFLICT', 'ACKED', "
    "'RECONCILED', 'CANCELLED')"
)
_LEGAL_MOVES = """
    (OLD.state = 'READY' AND NEW.state IN ('BLOCKED', 'CANCELLED', 'SENDING'))
    OR (OLD.state = 'SENDING' AND NEW.state IN ('ACKED', 'CONFLICT', 'DEAD', 'HELD', 'RETRY_WAIT', 'UNKNOWN'))
    OR (OLD.state = 'UNKNOWN' AND NEW.state IN ('ACKED', 'CONFLICT', 'HELD', 'RETRY_WAIT'))
    OR (OLD.state = 'RETRY_WAIT' AND NEW.state IN ('DEAD', 'HELD', 'READY'))
    OR (OLD.state = 'BLOCKED' AND NEW.state IN ('CANCELLED', 'READY'))
    OR (OLD.state = 'DEAD' AND NEW.state IN ('CANCELLED', 'READY', 'UNKNOWN'))
    OR (OLD.state = 'HELD' AND NEW.state IN ('CANCELLED', 'READY', 'UNKNOWN'))
    OR (OLD.state = 'CONFLICT' AND NEW.state IN ('CANCELLED', 'READY', 'UNKNOWN'))
    OR (OLD.state = 'ACKED' AND NEW.state IN ('CONFLICT', 'RECONCILED'))
    OR (OLD.state = 'RECONCILED' AND NEW.state IN ('CONFLICT'))"""

_SQLITE_TRIGGERS = (
    f"""CREATE TRIGGER outbox_transitions BEFORE UPDATE OF state ON outbox
    WHEN OLD.state <> NEW.state AND NOT ({_LEGAL_MOVES})
    BEGIN SELECT RAISE(ABORT, 'illegal outbox transition'); END""",
    """CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'ledger: append-only'); END""",
    """CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'ledger: append-only'); END""",
    """CREATE TRIGGER receipts_no_update BEFORE UPDATE ON receipts
    BEGIN SELECT RAISE(ABORT, 'receipts: append-only'); END""",
    """CREATE TRIGGER receipts_no_delete BEFORE DELETE ON receipts
    BEGIN SELECT RAISE(ABORT, 'receipts: append-only'); END""",
    """CREATE TRIGGER gate_decisions_no_update BEFORE UPDATE ON gate_decisions
    BEGIN SELECT RAISE(ABORT, 'gate_decisions: append-only'); END""",
    """CREATE TRIGGER gate_decisions_no_delete BEFORE DELETE ON gate_decisions
    BEGIN SELECT RAISE(ABORT, 'gate_decisions: append-only'); END""",
    """CREATE TRIGGER outbox_no_delete BEFORE DELETE ON outbox
    BEGIN SELECT RAISE(ABORT, 'outbox: append-only'); END""",
    """CREATE TRIGGER push_attempts_no_delete BEFORE DELETE ON push_attempts
    BEGIN SELECT RAISE(ABORT, 'push_attempts: append-only'); END""",
)

_POSTGRESQL_TRIGGERS = (
    f"""CREATE FUNCTION outbox_transitions() RETURNS trigger AS $$ BEGIN
    IF OLD.state <> NEW.state AND NOT ({_LEGAL_MOVES}) THEN RAISE EXCEPTION 'illegal outbox transition'; END IF;
    RETURN NEW; END $$ LANGUAGE plpgsql""",
    """CREATE TRIGGER outbox_transitions BEFORE UPDATE ON outbox
    FOR EACH ROW EXECUTE FUNCTION outbox_transitions()""",
    """CREATE FUNCTION kept_for_ever() RETURNS trigger AS $$ BEGIN
    RAISE EXCEPTION 'append-only'; END $$ LANGUAGE plpgsql""",
    """CREATE TRIGGER ledger_kept BEFORE UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
    """CREATE TRIGGER receipts_kept BEFORE UPDATE OR DELETE ON receipts
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
    """CREATE TRIGGER gate_decisions_kept BEFORE UPDATE OR DELETE ON gate_decisions
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
    """CREATE TRIGGER outbox_kept BEFORE DELETE ON outbox
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
    """CREATE TRIGGER push_attempts_kept BEFORE DELETE ON push_attempts
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
)


def upgrade() -> None:
    """Create everything; nothing existed before."""
    _ingestion()
    _dead_letters()
    _decisions()
    _outbox()
    _charge_lines()
    _pushes()
    _ledger()
    by_dialect = {"sqlite": _SQLITE_TRIGGERS, "postgresql": _POSTGRESQL_TRIGGERS}
    for statement in by_dialect[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Refused: these tables cannot be rebuilt."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")


def _ingestion() -> None:
    """Whether a source answered, and what became of its rows."""
    op.create_table(
        "observations",
        sa.Column("observation_id", sa.Integer, nullable=False),
        sa.Column("connection", sa.String(140), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("ok", sa.Boolean, nullable=False),
        sa.Column("observed_at", sa.String(32), nullable=False),
        sa.Column("source_clock", sa.String(32)),
        sa.Column("error", sa.Text),
        sa.Column("remedy", sa.Text),
        sa.PrimaryKeyConstraint("observation_id", name=op.f("pk_observations")),
    )
    op.create_index(op.f("ix_observations_connection"), "observations", ["connection", "observation_id"])
    op.create_table(
        "ingest_counts",
        sa.Column("run_id", sa.String(140), nullable=False),
        sa.Column("connection", sa.String(140), nullable=False),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("resource", sa.String(80), nullable=False),
        sa.Column("rows_in", sa.Integer, nullable=False),
        sa.Column("loaded", sa.Integer, nullable=False),
        sa.Column("dead_lettered", sa.Integer, nullable=False),
        sa.Column("duplicate", sa.Integer, nullable=False),
        sa.Column("parked", sa.Integer, nullable=False),
        sa.Column("counted_at", sa.String(32), nullable=False),
        sa.CheckConstraint(
            "rows_in = loaded + dead_lettered + duplicate + parked", name=op.f("ck_ingest_counts_adds_up")
        ),
        sa.PrimaryKeyConstraint("run_id", "connection", "source", "resource", name=op.f("pk_ingest_counts")),
    )


def _dead_letters() -> None:
    """Rows that were refused or wait."""
    op.create_table(
        "dead_letters",
        sa.Column("dead_letter_id", sa.String(64), nullable=False),
        sa.Column("connection", sa.String(140), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("resource", sa.String(80), nullable=False),
        sa.Column("source_id", sa.Text),
        sa.Column("order_ref", sa.Text),
        sa.Column("shipment_ref", sa.Text),
        sa.Column("reason", sa.String(60), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("raw_sha256", sa.String(64), nullable=False),
        sa.Column("trace_id", sa.String(140), nullable=False),
        sa.Column("run_id", sa.String(140), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("received_at", sa.String(32), nullable=False),
        sa.Column("park_until", sa.String(32)),
        sa.Column("source_version", sa.String(32)),
        sa.Column("fields", sa.Text),
        sa.CheckConstraint("status IN ('open', 'parked', 'resolved')", name=op.f("ck_dead_letters_status")),
        sa.PrimaryKeyConstraint("dead_letter_id", name=op.f("pk_dead_letters")),
    )
    op.create_index(op.f("ix_dead_letters_where"), "dead_letters", ["connection", "resource", "status"])


def _decisions() -> None:
    """What the gate decided."""
    op.create_table(
        "gate_decisions",
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("decision_id", sa.String(64), nullable=False),
        sa.Column("business_id", sa.String(140), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("company_id", sa.Text),
        sa.Column("order_no", sa.Text),
        sa.Column("shipment_no", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("codes", sa.Text, nullable=False),
        sa.Column("warnings", sa.Text, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("input_hash", sa.String(64), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("ruleset_version", sa.String(140), nullable=False),
        sa.Column("policy_version", sa.String(140), nullable=False),
        sa.Column("as_of", sa.String(32), nullable=False),
        sa.Column("decided_at", sa.String(32), nullable=False),
        sa.Column("amount", sa.String(40)),
        sa.Column("currency", sa.String(3)),
        sa.Column("run_id", sa.String(140), nullable=False),
        sa.Column("is_first_evaluation", sa.Boolean, nullable=False),
        sa.CheckConstraint("verdict IN ('released', 'blocked')", name=op.f("ck_gate_decisions_verdict")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_gate_decisions")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_gate_decisions_decision_id")),
    )
    op.create_index(
        op.f("ix_gate_decisions_business"), "gate_decisions", ["business_id", "revision", "sequence"]
    )


def _outbox() -> None:
    """What is to be written into other systems."""
    op.create_table(
        "outbox",
        sa.Column("outbox_id", sa.Integer, nullable=False),
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        sa.Column("company", sa.Text, nullable=False),
        sa.Column("destination", sa.String(140), nullable=False),
        sa.Column("operation", sa.String(40), nullable=False),
        sa.Column("business_id", sa.String(140), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("shipment_no", sa.Text, nullable=False),
        sa.Column("decision_id", sa.String(64), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("payload_hash", sa.String(64), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("input_hash", sa.String(64), nullable=False),
        sa.Column("amount", sa.String(40), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("fencing_token", sa.Integer, nullable=False),
        sa.Column("leased_by", sa.String(140)),
        sa.Column("leased_until", sa.String(32)),
        sa.Column("attempt_count", sa.Integer, nullable=False),
        sa.Column("may_exist", sa.Boolean, nullable=False),
        sa.Column("not_before", sa.String(32)),
        sa.Column("last_error", sa.Text),
        sa.Column("enqueued_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.CheckConstraint(_STATES, name=op.f("ck_outbox_state")),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_outbox")),
        sa.UniqueConstraint(*_EFFECT, name=op.f("uq_outbox_" + "_".join(_EFFECT))),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_outbox_idempotency_key")),
    )
    op.create_index(op.f("ix_outbox_due"), "outbox", ["destination", "state", "not_before"])


def _charge_lines() -> None:
    """Which effect bills which line."""
    op.create_table(
        "charge_lines",
        sa.Column("charge_key", sa.String(400), nullable=False),
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("charge_key", name=op.f("pk_charge_lines")),
    )


def _pushes() -> None:
    """What was tried, and what came back."""
    op.create_table(
        "push_attempts",
        sa.Column("attempt_id", sa.Integer, nullable=False),
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        sa.Column("attempt_no", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(140), nullable=False),
        sa.Column("fencing_token", sa.Integer, nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("outcome", sa.String(40)),
        sa.Column("http_status", sa.Integer),
        sa.Column("detail", sa.Text),
        sa.Column("erp_id", sa.Text),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_push_attempts")),
        sa.UniqueConstraint(
            "idempotency_key", "attempt_no", name=op.f("uq_push_attempts_idempotency_key_attempt_no")
        ),
    )
    op.create_table(
        "receipts",
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        sa.Column("destination", sa.String(140), nullable=False),
        sa.Column("company", sa.Text, nullable=False),
        sa.Column("business_id", sa.String(140), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("shipment_no", sa.Text, nullable=False),
        sa.Column("erp_id", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("order_no", sa.Text),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("net_total_amount", sa.String(40), nullable=False),
        sa.Column("tax_total_amount", sa.String(40), nullable=False),
        sa.Column("grand_total_amount", sa.String(40), nullable=False),
        sa.Column("issue_date", sa.String(10)),
        sa.Column("posted_at", sa.String(32), nullable=False),
        sa.Column("read_back_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("idempotency_key", name=op.f("pk_receipts")),
    )


def _ledger() -> None:
    """What happened, in order."""
    op.create_table(
        "ledger",
        sa.Column("sequence", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("recorded_at", sa.String(32), nullable=False),
        sa.Column("event", sa.String(60), nullable=False),
        sa.Column("actor", sa.String(140), nullable=False),
        sa.Column("subject", sa.String(140), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("row_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_ledger")),
        sa.UniqueConstraint("row_hash", name=op.f("uq_ledger_row_hash")),
    )
