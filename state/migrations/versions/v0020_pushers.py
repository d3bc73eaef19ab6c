"""Who pushes to which destination, with which settings, and what all of them may do there together."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables more."""
    op.create_table(
        "destinations",
        sa.Column("destination", sa.String(140), nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("next_turn_at", sa.String(32), nullable=True),
        sa.Column("retries_left", sa.Float, nullable=True),
        sa.Column("retries_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("destination", name=op.f("pk_destinations")),
    )
    op.create_table(
        "pushers",
        sa.Column("worker", sa.String(140), nullable=False),
        sa.Column("destination", sa.String(140), nullable=False),
        sa.Column("at_a_time", sa.Integer, nullable=False),
        sa.Column("lives_until", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("worker", "destination", name=op.f("pk_pushers")),
    )


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
