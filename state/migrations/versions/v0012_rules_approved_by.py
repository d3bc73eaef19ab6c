"""Who approved the rules that a decision was made by. Older decisions do not say."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column more."""
    op.add_column("gate_decisions", sa.Column("rules_approved_by", sa.String(140)))


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
