"""The first tables and the triggers that guard them."""

from alembic import op

from state.tables import metadata
from state.triggers import postgresql_statements, sqlite_statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything; nothing existed before."""
    connection = op.get_bind()
    metadata.create_all(connection)
    by_dialect = {"sqlite": sqlite_statements, "postgresql": postgresql_statements}
    for statement in by_dialect[connection.dialect.name]():
        op.execute(statement)


def downgrade() -> None:
    """Refused: these tables cannot be rebuilt."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
