"""What was last known of a document that is not posted, in a column of its own: the system made it, or a look showed a draft.

So far only the words of the last error told it. What they say of rows and attempts that are there is written into the column once.
And the rows that a worker has taken are found without a look at all that wait: a push asks for them twice.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_WORDS = {"outbox": "last_error", "push_attempts": "detail"}
_OVER = "('ACKED', 'RECONCILED', 'CANCELLED')"


def upgrade() -> None:
    """A column more in two tables, filled from the words, and an index of what somebody works on."""
    leased = sa.text("leased_by IS NOT NULL")
    op.create_index(
        op.f("ix_outbox_leased"),
        "outbox",
        ["destination", "state", "leased_by"],
        sqlite_where=leased,
        postgresql_where=leased,
    )
    for table, words in _WORDS.items():
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN seen_as VARCHAR(10) "
            f"CONSTRAINT ck_{table}_seen_as CHECK (seen_as IN ('made', 'draft', 'behind', 'gone'))"
        )
        is_open = f"state NOT IN {_OVER} AND " if table == "outbox" else ""
        op.execute(
            f"UPDATE {table} SET seen_as = 'draft' WHERE {is_open}{words} = 'found as a draft'",
        )
        op.execute(
            f"UPDATE {table} SET seen_as = 'made' WHERE {is_open}{words} LIKE 'made, and not posted: %'",
        )


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
