"""What a reconciliation found to differ, until a person or a later reconciliation settles it.

A row that differed and is equal again becomes RECONCILED; a row that was open when a backup was made is UNKNOWN after
its restore.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_LEGAL_MOVES = """
    (OLD.state = 'READY' AND NEW.state IN ('BLOCKED', 'CANCELLED', 'SENDING', 'UNKNOWN'))
    OR (OLD.state = 'SENDING' AND NEW.state IN ('ACKED', 'CONFLICT', 'DEAD', 'HELD', 'RETRY_WAIT', 'UNKNOWN'))
    OR (OLD.state = 'UNKNOWN' AND NEW.state IN ('ACKED', 'CONFLICT', 'HELD', 'RETRY_WAIT'))
    OR (OLD.state = 'RETRY_WAIT' AND NEW.state IN ('DEAD', 'HELD', 'READY', 'UNKNOWN'))
    OR (OLD.state = 'BLOCKED' AND NEW.state IN ('CANCELLED', 'READY', 'UNKNOWN'))
    OR (OLD.state = 'DEAD' AND NEW.state IN ('CANCELLED', 'READY', 'UNKNOWN'))
    OR (OLD.state = 'HELD' AND NEW.state IN ('CANCELLED', 'READY', 'UNKNOWN'))
    OR (OLD.state = 'CONFLICT' AND NEW.state IN ('CANCELLED', 'READY', 'RECONCILED', 'UNKNOWN'))
    OR (OLD.state = 'ACKED' AND NEW.state IN ('CONFLICT', 'RECONCILED'))
    OR (OLD.state = 'RECONCILED' AND NEW.state IN ('CONFLICT'))"""

_SQLITE_TRIGGERS = (
    "DROP TRIGGER outbox_transitions",
    f"""CREATE TRIGGER outbox_transitions BEFORE UPDATE OF state ON outbox
    WHEN OLD.state <> NEW.state AND NOT ({_LEGAL_MOVES})
    BEGIN SELECT RAISE(ABORT, 'illegal outbox transition'); END""",
)
_POSTGRESQL_TRIGGERS = (
    f"""CREATE OR REPLACE FUNCTION outbox_transitions() RETURNS trigger AS $$ BEGIN
    IF OLD.state <> NEW.state AND NOT ({_LEGAL_MOVES}) THEN RAISE EXCEPTION 'illegal outbox transition'; END IF;
    RETURN NEW; END $$ LANGUAGE plpgsql""",
)


def upgrade() -> None:
    """One table more, and the state machine's trigger written anew."""
    op.create_table(
        "reconciliation_differences",
        sa.Column("difference_id", sa.String(64), nullable=False),
        sa.Column("destination", sa.String(140), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        sa.Column("erp_id", sa.Text, nullable=False),
        sa.Column("shipment_no", sa.Text),
        sa.Column("company", sa.Text, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("issue_date", sa.String(10)),
        sa.Column("acknowledged_amount", sa.String(40)),
        sa.Column("found_amount", sa.String(40)),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("found_at", sa.String(32), nullable=False),
        sa.Column("settled_at", sa.String(32)),
        sa.Column("settled_by", sa.String(140)),
        sa.Column("settled_because", sa.Text),
        sa.CheckConstraint(
            "kind IN ('missing', 'extra', 'different')", name=op.f("ck_reconciliation_differences_kind")
        ),
        sa.PrimaryKeyConstraint("difference_id", name=op.f("pk_reconciliation_differences")),
    )
    by_dialect = {"sqlite": _SQLITE_TRIGGERS, "postgresql": _POSTGRESQL_TRIGGERS}
    for statement in by_dialect[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
