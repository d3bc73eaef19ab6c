"""The ledger without its index of hashes.

Each row's hash covers its number, and no two rows have one number: so no two have one hash, and nobody asks for a row by
its hash. The index lay in no order, and to keep it cost more than the rows.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_SQLITE_TRIGGERS = (
    """CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'ledger: append-only'); END""",
    """CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'ledger: append-only'); END""",
)


def upgrade() -> None:
    """One constraint less. SQLite writes the table anew for it, and its triggers with it."""
    with op.batch_alter_table("ledger") as ledger:
        ledger.drop_constraint("uq_ledger_row_hash", type_="unique")
    if op.get_context().dialect.name == "sqlite":
        for statement in _SQLITE_TRIGGERS:
            op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
