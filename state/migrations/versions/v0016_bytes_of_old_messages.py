"""The bytes of a message may be forgotten once, when it is settled and its id has been remembered for 90 days."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_AS_IT_CAME = (
    "message_id", "partner", "event_id", "repeat_no", "channel", "kind", "content_type", "body_sha256",
    "trace_id", "key_id", "received_at",
)  # fmt: skip
_AS_SETTLED = (
    "settled_at",
    "run_id",
    "rows_in",
    "loaded",
    "dead_lettered",
    "duplicate",
    "parked",
    "shipments",
)
_AGE = {
    "sqlite": "julianday(NEW.pruned_at) - julianday(OLD.received_at) >= 90",
    "postgresql": "CAST(NEW.pruned_at AS timestamptz) - CAST(OLD.received_at AS timestamptz) >= INTERVAL '90 days'",
}
_WHY = (
    "inbox: a message stays as it came and is settled once; its bytes go when it is settled and 90 days old"
)


def _same(*names: str) -> str:
    return " AND ".join(f"OLD.{name} IS NOT DISTINCT FROM NEW.{name}" for name in names)


def _forbidden(dialect: str) -> str:
    settling = f"OLD.settled_at IS NULL AND {_same('body', 'pruned_at')}"
    pruning = (
        f"OLD.settled_at IS NOT NULL AND OLD.pruned_at IS NULL AND NEW.pruned_at IS NOT NULL AND length(NEW.body) = 0 "
        f"AND {_AGE[dialect]} AND {_same(*_AS_SETTLED)}"
    )
    return f"NOT ({_same(*_AS_IT_CAME)} AND (({settling}) OR ({pruning})))"


_GUARDS = {
    "sqlite": (
        "DROP TRIGGER inbox_settled_once",
        f"""CREATE TRIGGER inbox_settled_once BEFORE UPDATE ON inbox WHEN {_forbidden("sqlite")}
    BEGIN SELECT RAISE(ABORT, '{_WHY}'); END""",
    ),
    "postgresql": (
        f"""CREATE OR REPLACE FUNCTION inbox_settled_once() RETURNS trigger AS $$ BEGIN
    IF {_forbidden("postgresql")} THEN RAISE EXCEPTION '{_WHY}'; END IF;
    RETURN NEW; END $$ LANGUAGE plpgsql""",
    ),
}


def upgrade() -> None:
    """One column, one index, and the guard anew."""
    op.add_column("inbox", sa.Column("pruned_at", sa.String(32)))
    kept = sa.text("settled_at IS NOT NULL AND pruned_at IS NULL")
    op.create_index("ix_inbox_kept", "inbox", ["received_at"], sqlite_where=kept, postgresql_where=kept)
    for statement in _GUARDS[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
