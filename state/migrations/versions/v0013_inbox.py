"""What partners sent by themselves. The database keeps each message as it came and lets it be settled once."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_AS_IT_CAME = (
    "message_id", "partner", "event_id", "repeat_no", "channel", "kind", "content_type", "body", "body_sha256",
    "trace_id", "key_id", "received_at",
)  # fmt: skip
_CHANGED = "OLD.settled_at IS NOT NULL OR " + " OR ".join(
    f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in _AS_IT_CAME
)
_GUARDS = {
    "sqlite": (
        f"""CREATE TRIGGER inbox_settled_once BEFORE UPDATE ON inbox WHEN {_CHANGED}
    BEGIN SELECT RAISE(ABORT, 'inbox: a message stays as it came, and is settled once'); END""",
        """CREATE TRIGGER inbox_no_delete BEFORE DELETE ON inbox
    BEGIN SELECT RAISE(ABORT, 'inbox: append-only'); END""",
    ),
    "postgresql": (
        f"""CREATE FUNCTION inbox_settled_once() RETURNS trigger AS $$ BEGIN
    IF {_CHANGED} THEN RAISE EXCEPTION 'inbox: a message stays as it came, and is settled once'; END IF;
    RETURN NEW; END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER inbox_settled_once BEFORE UPDATE ON inbox
    FOR EACH ROW EXECUTE FUNCTION inbox_settled_once()""",
        """CREATE TRIGGER inbox_kept BEFORE DELETE ON inbox
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
        """CREATE TRIGGER inbox_not_truncated BEFORE TRUNCATE ON inbox
    FOR EACH STATEMENT EXECUTE FUNCTION kept_for_ever()""",
    ),
}


def upgrade() -> None:
    """One table and its guards more."""
    op.create_table(
        "inbox",
        sa.Column("message_no", sa.Integer, nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("partner", sa.String(140), nullable=False),
        sa.Column("event_id", sa.String(255), nullable=False),
        sa.Column("repeat_no", sa.Integer, nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(80), nullable=False),
        sa.Column("content_type", sa.String(140), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.Column("trace_id", sa.String(140), nullable=False),
        sa.Column("key_id", sa.String(140)),
        sa.Column("received_at", sa.String(32), nullable=False),
        sa.Column("settled_at", sa.String(32)),
        sa.Column("run_id", sa.String(140)),
        sa.Column("rows_in", sa.Integer),
        sa.Column("loaded", sa.Integer),
        sa.Column("dead_lettered", sa.Integer),
        sa.Column("duplicate", sa.Integer),
        sa.Column("parked", sa.Integer),
        sa.Column("shipments", sa.Text),
        sa.CheckConstraint("channel IN ('api', 'webhook', 'mqtt')", name=op.f("ck_inbox_channel")),
        sa.CheckConstraint("(settled_at IS NULL) = (run_id IS NULL)", name=op.f("ck_inbox_settled")),
        sa.CheckConstraint(
            "rows_in = loaded + dead_lettered + duplicate + parked", name=op.f("ck_inbox_adds_up")
        ),
        sa.PrimaryKeyConstraint("message_no", name=op.f("pk_inbox")),
        sa.UniqueConstraint("message_id", name=op.f("uq_inbox_message_id")),
        sa.UniqueConstraint(
            "partner", "event_id", "repeat_no", name=op.f("uq_inbox_partner_event_id_repeat_no")
        ),
    )
    op.create_index("ix_inbox_partner", "inbox", ["partner", "message_no"])
    op.create_index(
        "ix_inbox_open",
        "inbox",
        ["message_no"],
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    for statement in _GUARDS[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
