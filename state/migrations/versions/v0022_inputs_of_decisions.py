"""What each decision of the gate was made on."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_KEPT = {
    "sqlite": tuple(
        f"""CREATE TRIGGER gate_inputs_no_{verb.lower()} BEFORE {verb} ON gate_inputs
    BEGIN SELECT RAISE(ABORT, 'gate_inputs: append-only'); END"""
        for verb in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        """CREATE TRIGGER gate_inputs_kept BEFORE UPDATE OR DELETE ON gate_inputs
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
        """CREATE TRIGGER gate_inputs_not_truncated BEFORE TRUNCATE ON gate_inputs
    FOR EACH STATEMENT EXECUTE FUNCTION kept_for_ever()""",
    ),
}


def upgrade() -> None:
    """One table and its guards, and where a decision's inputs lie; of earlier decisions nothing was kept."""
    op.create_table(
        "gate_inputs",
        sa.Column("inputs_batch", sa.String(64), nullable=False),
        sa.Column("decision_count", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("inputs_batch", name=op.f("pk_gate_inputs")),
    )
    op.add_column("gate_decisions", sa.Column("inputs_batch", sa.String(64)))
    for statement in _KEPT[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
