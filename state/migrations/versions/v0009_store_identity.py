"""The id that a PostgreSQL state store shares with its home; and in PostgreSQL nobody truncates what is kept for ever."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEPT = (
    *("ledger", "receipts", "gate_decisions", "outbox", "push_attempts", "kill_switches", "approvals"),
    *("outbox_proposals", "credit_notes", "store_identity"),
)
_SQLITE_TRIGGERS = (
    """CREATE TRIGGER store_identity_no_update BEFORE UPDATE ON store_identity
    BEGIN SELECT RAISE(ABORT, 'store_identity: append-only'); END""",
    """CREATE TRIGGER store_identity_no_delete BEFORE DELETE ON store_identity
    BEGIN SELECT RAISE(ABORT, 'store_identity: append-only'); END""",
)
_POSTGRESQL_TRIGGERS = (
    """CREATE OR REPLACE FUNCTION kept_for_ever() RETURNS trigger AS $$ BEGIN
    RAISE EXCEPTION '%: append-only', TG_TABLE_NAME; END $$ LANGUAGE plpgsql""",
    """CREATE TRIGGER store_identity_kept BEFORE UPDATE OR DELETE ON store_identity
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
    # SQLite has no TRUNCATE.
    *(
        f"""CREATE TRIGGER {table}_not_truncated BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION kept_for_ever()"""
        for table in _KEPT
    ),
)


def upgrade() -> None:
    """One table of one row at most, and triggers."""
    op.create_table(
        "store_identity",
        sa.Column("row_no", sa.Integer, nullable=False, server_default="1", autoincrement=False),
        sa.Column("store_id", sa.String(32), nullable=False),
        sa.CheckConstraint("row_no = 1", name=op.f("ck_store_identity_one_row")),
        sa.PrimaryKeyConstraint("row_no", name=op.f("pk_store_identity")),
    )
    by_dialect = {"sqlite": _SQLITE_TRIGGERS, "postgresql": _POSTGRESQL_TRIGGERS}
    for statement in by_dialect[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
