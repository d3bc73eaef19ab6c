"""A document that is kept up is changed by its revisions in their order: the database refuses a later one before an earlier.

As with invoices after confirmations (0018), of effects under one order key at one destination. What lies in the outbox has none such.
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_OUT_OF_TURN = """NEW.state = 'SENDING' AND NEW.operation = 'exception_alert' AND NEW.order_key IS NOT NULL
    AND EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.destination = NEW.destination
    AND earlier.order_key = NEW.order_key AND earlier.operation = NEW.operation
    AND earlier.revision < NEW.revision
    AND earlier.state NOT IN ('ACKED', 'RECONCILED', 'CANCELLED'))"""
_TOLD = "outbox: an earlier revision under its order key is not acknowledged"


def upgrade() -> None:
    """A guard more; the rows stay as they are."""
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER outbox_revisions_in_turn BEFORE UPDATE OF state ON outbox WHEN {_OUT_OF_TURN} "
            f"BEGIN SELECT RAISE(ABORT, '{_TOLD}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION outbox_revisions_in_turn() RETURNS trigger AS $$ BEGIN "
        f"IF {_OUT_OF_TURN} THEN RAISE EXCEPTION '{_TOLD}'; END IF; "
        "RETURN NEW; END $$ LANGUAGE plpgsql"
    )
    op.execute(
        "CREATE TRIGGER outbox_revisions_in_turn BEFORE UPDATE OF state ON outbox "
        "FOR EACH ROW EXECUTE FUNCTION outbox_revisions_in_turn()"
    )


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
