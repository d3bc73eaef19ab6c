"""Effects about one document of the foreign system take turns, and decisions say which flow they are about.

An invoice under an order key is not sent before the confirmation under the same key is acknowledged or two people gave it up.
What lies in the outbox already has no key: it was released when nothing else was sent.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_OUT_OF_TURN = """NEW.state = 'SENDING' AND NEW.operation = 'invoice' AND NEW.order_key IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.destination = NEW.destination
    AND earlier.order_key = NEW.order_key AND earlier.operation = 'fulfilment'
    AND earlier.state IN ('ACKED', 'RECONCILED', 'CANCELLED'))"""
_TOLD = "outbox: what comes before it under its order key is not acknowledged"


def upgrade() -> None:
    """Three columns, an index and a guard more; the rows stay as they are."""
    dialect = op.get_context().dialect.name
    op.add_column("outbox", sa.Column("order_key", sa.String(140)))
    op.create_index(op.f("ix_outbox_order"), "outbox", ["order_key", "destination", "operation"])
    op.add_column("receipts", sa.Column("total_quantity", sa.String(40)))
    op.add_column(
        "gate_decisions", sa.Column("operation", sa.String(40), nullable=False, server_default="invoice")
    )
    if dialect == "sqlite":
        op.execute(
            f"CREATE TRIGGER outbox_in_turn BEFORE UPDATE OF state ON outbox WHEN {_OUT_OF_TURN} "
            f"BEGIN SELECT RAISE(ABORT, '{_TOLD}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION outbox_in_turn() RETURNS trigger AS $$ BEGIN "
        f"IF {_OUT_OF_TURN} THEN RAISE EXCEPTION '{_TOLD}'; END IF; "
        "RETURN NEW; END $$ LANGUAGE plpgsql"
    )
    op.execute(
        "CREATE TRIGGER outbox_in_turn BEFORE UPDATE OF state ON outbox "
        "FOR EACH ROW EXECUTE FUNCTION outbox_in_turn()"
    )


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
