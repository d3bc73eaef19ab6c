"""What the gate says of credit notes, and how two people take a cancellation back.

No credit note goes into the outbox that its gate does not release. A cancelled row leaves that state, and its charge lines
are set free, only by a confirmed proposal over nothing in the ERP.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BLOCKED = """NEW.operation = 'credit_note' AND NOT EXISTS (SELECT 1 FROM credit_decisions AS decision
    WHERE decision.idempotency_key = NEW.idempotency_key AND decision.payload_hash = NEW.payload_hash
    AND decision.verdict = 'released' AND decision.sequence = (SELECT max(newest.sequence) FROM credit_decisions AS newest
    WHERE newest.idempotency_key = NEW.idempotency_key))"""
_LEGAL_MOVES = """
    (OLD.state = 'READY' AND NEW.state IN ('BLOCKED', 'CANCELLED', 'SENDING', 'UNKNOWN'))
    OR (OLD.state = 'SENDING' AND NEW.state IN ('ACKED', 'CONFLICT', 'DEAD', 'HELD', 'RETRY_WAIT', 'UNKNOWN'))
    OR (OLD.state = 'UNKNOWN' AND NEW.state IN ('ACKED', 'CONFLICT', 'HELD', 'RETRY_WAIT'))
    OR (OLD.state = 'RETRY_WAIT' AND NEW.state IN ('DEAD', 'HELD', 'READY', 'UNKNOWN'))
    OR (OLD.state = 'BLOCKED' AND NEW.state IN ('CANCELLED', 'READY', 'UNKNOWN'))
    OR (OLD.state = 'DEAD' AND NEW.state IN ('CANCELLED', 'READY', 'UNKNOWN'))
    OR (OLD.state = 'HELD' AND NEW.state IN ('CANCELLED', 'READY', 'UNKNOWN'))
    OR (OLD.state = 'CONFLICT' AND NEW.state IN ('CANCELLED', 'READY', 'RECONCILED', 'UNKNOWN'))
    OR (OLD.state = 'ACKED' AND NEW.state IN ('CONFLICT', 'RECONCILED'))
    OR (OLD.state = 'RECONCILED' AND NEW.state IN ('CONFLICT'))
    OR (OLD.state = 'CANCELLED' AND NEW.state IN ('BLOCKED'))"""
_MACHINE = {
    "sqlite": (
        "DROP TRIGGER outbox_transitions",
        f"""CREATE TRIGGER outbox_transitions BEFORE UPDATE OF state ON outbox
    WHEN OLD.state <> NEW.state AND NOT ({_LEGAL_MOVES})
    BEGIN SELECT RAISE(ABORT, 'illegal outbox transition'); END""",
    ),
    "postgresql": (
        f"""CREATE OR REPLACE FUNCTION outbox_transitions() RETURNS trigger AS $$ BEGIN
    IF OLD.state <> NEW.state AND NOT ({_LEGAL_MOVES}) THEN RAISE EXCEPTION 'illegal outbox transition'; END IF;
    RETURN NEW; END $$ LANGUAGE plpgsql""",
    ),
}
_TAKEN_BACK = """EXISTS (SELECT 1 FROM outbox_proposals AS proposal
    WHERE proposal.idempotency_key = OLD.idempotency_key AND proposal.from_state = 'CANCELLED'
    AND proposal.to_state = 'BLOCKED' AND proposal.found = '[]' AND proposal.confirmed_at IS NOT NULL
    AND proposal.proposal_id = (SELECT max(newest.proposal_id) FROM outbox_proposals AS newest
    WHERE newest.idempotency_key = OLD.idempotency_key))"""
_STAYS = f"OLD.state = 'CANCELLED' AND NEW.state <> 'CANCELLED' AND NOT {_TAKEN_BACK}"
_STILL_BILLED = f"""NOT EXISTS (SELECT 1 FROM outbox AS invoice, outbox AS note
    WHERE invoice.idempotency_key = OLD.idempotency_key AND note.company = invoice.company
    AND note.destination = invoice.destination AND note.operation = 'credit_note'
    AND note.business_id = invoice.business_id AND note.revision = invoice.revision
    AND note.state IN ('ACKED', 'RECONCILED'))
    AND NOT (EXISTS (SELECT 1 FROM outbox AS cancelled WHERE cancelled.idempotency_key = OLD.idempotency_key
    AND cancelled.state = 'CANCELLED') AND {_TAKEN_BACK})"""
_TOLD = "outbox: the gate does not release this credit note"
_GUARDS = (
    ("outbox_credit_released", "INSERT", "outbox", _BLOCKED, _TOLD),
    ("outbox_credit_released_anew", "UPDATE OF idempotency_key, payload_hash", "outbox", _BLOCKED, _TOLD),
    ("outbox_cancelled_stays", "UPDATE OF state", "outbox", _STAYS,
     "outbox: only two people take a cancellation back"),
    ("charge_lines_set_free", "DELETE", "charge_lines", _STILL_BILLED, "charge_lines: an invoice bills this line"),
)  # fmt: skip
_KEPT = {
    "sqlite": tuple(
        f"""CREATE TRIGGER credit_decisions_no_{verb.lower()} BEFORE {verb} ON credit_decisions
    BEGIN SELECT RAISE(ABORT, 'credit_decisions: append-only'); END"""
        for verb in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        """CREATE TRIGGER credit_decisions_kept BEFORE UPDATE OR DELETE ON credit_decisions
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
        """CREATE TRIGGER credit_decisions_not_truncated BEFORE TRUNCATE ON credit_decisions
    FOR EACH STATEMENT EXECUTE FUNCTION kept_for_ever()""",
    ),
}


def upgrade() -> None:
    """One table and its guards more; the state machine and the guard of the charge lines anew."""
    op.create_table(
        "credit_decisions",
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        sa.Column("invoice_key", sa.String(64), nullable=False),
        sa.Column("shipment_no", sa.Text, nullable=False),
        sa.Column("payload_hash", sa.String(64), nullable=False),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("codes", sa.Text, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("inputs", sa.LargeBinary, nullable=False),
        sa.Column("input_hash", sa.String(64), nullable=False),
        sa.Column("ruleset_version", sa.String(64), nullable=False),
        sa.Column("policy_version", sa.String(140), nullable=False),
        sa.Column("rules_approved_by", sa.String(140)),
        sa.Column("decided_at", sa.String(32), nullable=False),
        sa.CheckConstraint("step IN ('draft', 'approval', 'sending')", name=op.f("ck_credit_decisions_step")),
        sa.CheckConstraint(
            "(verdict = 'released' AND codes = '[]' AND rules_approved_by IS NOT NULL) "
            "OR (verdict = 'blocked' AND codes <> '[]')",
            name=op.f("ck_credit_decisions_verdict"),
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_credit_decisions")),
    )
    op.create_index("ix_credit_decisions_note", "credit_decisions", ["idempotency_key", "sequence"])
    dialect = op.get_context().dialect.name
    for statement in _MACHINE[dialect]:
        op.execute(statement)
    op.execute("DROP TRIGGER charge_lines_set_free" + (" ON charge_lines" if dialect == "postgresql" else ""))
    guarded = {"sqlite": _sqlite, "postgresql": _postgresql}[dialect]
    for guard in _GUARDS:
        guarded(*guard)
    for statement in _KEPT[dialect]:
        op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")


def _sqlite(name: str, event: str, table: str, refused: str, told: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {refused} "
        f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
    )


def _postgresql(name: str, event: str, table: str, refused: str, told: str) -> None:
    returned = "OLD" if event == "DELETE" else "NEW"
    op.execute(
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$ BEGIN "
        f"IF {refused} THEN RAISE EXCEPTION '{told}'; END IF; "
        f"RETURN {returned}; END $$ LANGUAGE plpgsql"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
