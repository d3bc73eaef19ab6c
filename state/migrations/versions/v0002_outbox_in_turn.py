"""The outbox is read oldest first per destination and state: an index in that order spares reading and sorting it."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One index in place of another; the rows stay as they are."""
    op.create_index(op.f("ix_outbox_turn"), "outbox", ["destination", "state", "outbox_id"])
    op.drop_index(op.f("ix_outbox_due"), table_name="outbox")


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
