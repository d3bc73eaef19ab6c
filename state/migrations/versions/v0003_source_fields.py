"""Which fields each source sends, so that one that comes on top is noticed and counted."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table more."""
    op.create_table(
        "source_fields",
        sa.Column("connection", sa.String(140), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("resource", sa.String(80), nullable=False),
        sa.Column("field", sa.String(140), nullable=False),
        sa.Column("is_agreed", sa.Boolean(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", sa.String(32), nullable=False),
        sa.Column("last_seen_at", sa.String(32), nullable=False),
        sa.Column("first_run_id", sa.String(140), nullable=False),
        sa.PrimaryKeyConstraint("connection", "kind", "resource", "field", name=op.f("pk_source_fields")),
    )


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
