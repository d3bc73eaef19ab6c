"""Destinations in trouble: until when nothing is sent to them, and how carefully sending begins again."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table more."""
    op.create_table(
        "breakers",
        sa.Column("destination", sa.String(140), nullable=False),
        sa.Column("open_until", sa.String(32), nullable=False),
        sa.Column("opening_s", sa.Integer, nullable=False),
        sa.Column("left_to_post", sa.Integer, nullable=False),
        sa.Column("is_probed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("destination", name=op.f("pk_breakers")),
    )


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
