"""What the gate says of credit notes; none goes into the outbox that it does not release."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None

_BLOCKED = """NEW.operation = 'credit_note' AND NOT EXISTS (SELECT 1 FROM credit_decisions AS decision
    WHERE decision.idempotency_key = NEW.idempotency_key AND decision.payload_hash = NEW.payload_hash
    AND decision.verdict = 'released' AND decision.sequence = (SELECT max(newest.sequence) FROM credit_decisions AS newest
    WHERE newest.idempotency_key = NEW.idempotency_key))"""
_TOLD = "outbox: the gate does not release this credit note"
_GUARDS = (
    ("outbox_credit_released", "INSERT", _BLOCKED, _TOLD),
    ("outbox_credit_released_anew", "UPDATE OF idempotency_key, payload_hash", _BLOCKED, _TOLD),
)
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
    """One table and its guards more."""
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
    guarded = {"sqlite": _sqlite, "postgresql": _postgresql}[dialect]
    for guard in _GUARDS:
        guarded(*guard)
    for statement in _KEPT[dialect]:
        op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")


def _sqlite(name: str, event: str, refused: str, told: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} ON outbox WHEN {refused} "
        f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
    )


def _postgresql(name: str, event: str, refused: str, told: str) -> None:
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger AS $$ BEGIN "
        f"IF {refused} THEN RAISE EXCEPTION '{told}'; END IF; "
        f"RETURN NEW; END $$ LANGUAGE plpgsql"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON outbox FOR EACH ROW EXECUTE FUNCTION {name}()")
