"""What people decide about dead letters: fixes beside what came, and the moves that a letter may make."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_STATUSES = "status IN ('open', 'parked', 'replaying', 'resolved', 'replayed', 'discarded')"
_DECIDED = (
    "status NOT IN ('replaying', 'replayed', 'discarded') OR (decided_by IS NOT NULL AND trim(decided_by) <> '' "
    "AND decided_because IS NOT NULL AND trim(decided_because) <> '' AND decided_at IS NOT NULL)"
)
_CAME = (
    "dead_letter_id, connection, kind, resource, source_id, order_ref, shipment_ref, reason, detail, raw, raw_sha256, "
    "trace_id, run_id, status, received_at, park_until, source_version, fields"
)
_LEGAL_MOVES = """
    (OLD.status = 'open' AND NEW.status IN ('replaying', 'resolved', 'discarded'))
    OR (OLD.status = 'parked' AND NEW.status IN ('open', 'replaying', 'resolved', 'discarded'))
    OR (OLD.status = 'replaying' AND NEW.status IN ('open', 'resolved', 'replayed'))"""
_ILLEGAL = f"OLD.status <> NEW.status AND NOT ({_LEGAL_MOVES})"
_DONE = "OLD.status IN ('resolved', 'replayed', 'discarded')"
_CHANGED = """OLD.dead_letter_id IS DISTINCT FROM NEW.dead_letter_id
    OR OLD.connection IS DISTINCT FROM NEW.connection
    OR OLD.kind IS DISTINCT FROM NEW.kind
    OR OLD.resource IS DISTINCT FROM NEW.resource
    OR OLD.source_id IS DISTINCT FROM NEW.source_id
    OR OLD.raw IS DISTINCT FROM NEW.raw
    OR OLD.raw_sha256 IS DISTINCT FROM NEW.raw_sha256
    OR OLD.received_at IS DISTINCT FROM NEW.received_at
    OR OLD.source_version IS DISTINCT FROM NEW.source_version
    OR OLD.fields IS DISTINCT FROM NEW.fields"""
_BORN = "NEW.status NOT IN ('open', 'parked')"

_SQLITE_TRIGGERS = (
    f"""CREATE TRIGGER dead_letters_transitions BEFORE UPDATE ON dead_letters
    WHEN {_ILLEGAL}
    BEGIN SELECT RAISE(ABORT, 'illegal dead letter transition'); END""",
    f"""CREATE TRIGGER dead_letters_done BEFORE UPDATE ON dead_letters
    WHEN {_DONE}
    BEGIN SELECT RAISE(ABORT, 'dead_letters: what was decided stands'); END""",
    f"""CREATE TRIGGER dead_letters_as_they_came BEFORE UPDATE ON dead_letters
    WHEN {_CHANGED}
    BEGIN SELECT RAISE(ABORT, 'dead_letters: what came is never altered'); END""",
    f"""CREATE TRIGGER dead_letters_begin BEFORE INSERT ON dead_letters
    WHEN {_BORN}
    BEGIN SELECT RAISE(ABORT, 'dead_letters: a letter begins open or parked'); END""",
    """CREATE TRIGGER dead_letters_no_delete BEFORE DELETE ON dead_letters
    BEGIN SELECT RAISE(ABORT, 'dead_letters: kept for ever'); END""",
    """CREATE TRIGGER dead_letter_fixes_no_update BEFORE UPDATE ON dead_letter_fixes
    BEGIN SELECT RAISE(ABORT, 'dead_letter_fixes: append-only'); END""",
    """CREATE TRIGGER dead_letter_fixes_no_delete BEFORE DELETE ON dead_letter_fixes
    BEGIN SELECT RAISE(ABORT, 'dead_letter_fixes: append-only'); END""",
)
_POSTGRESQL_TRIGGERS = (
    f"""CREATE FUNCTION dead_letters_moved() RETURNS trigger AS $$ BEGIN
    IF {_ILLEGAL} THEN RAISE EXCEPTION 'illegal dead letter transition'; END IF;
    IF {_DONE} THEN RAISE EXCEPTION 'dead_letters: what was decided stands'; END IF;
    IF {_CHANGED} THEN RAISE EXCEPTION 'dead_letters: what came is never altered'; END IF;
    RETURN NEW; END $$ LANGUAGE plpgsql""",
    """CREATE TRIGGER dead_letters_moved BEFORE UPDATE ON dead_letters
    FOR EACH ROW EXECUTE FUNCTION dead_letters_moved()""",
    f"""CREATE FUNCTION dead_letters_begin() RETURNS trigger AS $$ BEGIN
    IF {_BORN} THEN RAISE EXCEPTION 'dead_letters: a letter begins open or parked'; END IF;
    RETURN NEW; END $$ LANGUAGE plpgsql""",
    """CREATE TRIGGER dead_letters_begin BEFORE INSERT ON dead_letters
    FOR EACH ROW EXECUTE FUNCTION dead_letters_begin()""",
    """CREATE TRIGGER dead_letters_kept BEFORE DELETE ON dead_letters
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
    """CREATE TRIGGER dead_letter_fixes_kept BEFORE UPDATE OR DELETE ON dead_letter_fixes
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
    *(
        f"""CREATE TRIGGER {table}_not_truncated BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION kept_for_ever()"""
        for table in ("dead_letters", "dead_letter_fixes")
    ),
)


def upgrade() -> None:
    """Three columns and two checks more for letters; their fixes beside them."""
    dialect = op.get_context().dialect.name
    if dialect == "sqlite":
        _letters_anew()
    else:
        _letters_altered()
    op.create_index(op.f("ix_dead_letters_sent"), "dead_letters", ["connection", "resource", "raw_sha256"])
    op.create_table(
        "dead_letter_fixes",
        sa.Column("dead_letter_id", sa.String(64), nullable=False),
        sa.Column("fix_no", sa.Integer, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("source_version", sa.String(32), nullable=False),
        sa.Column("fixed_by", sa.String(140), nullable=False),
        sa.Column("fixed_because", sa.Text, nullable=False),
        sa.Column("fixed_at", sa.String(32), nullable=False),
        sa.CheckConstraint(
            "trim(fixed_by) <> '' AND trim(fixed_because) <> ''", name=op.f("ck_dead_letter_fixes_said")
        ),
        sa.PrimaryKeyConstraint("dead_letter_id", "fix_no", name=op.f("pk_dead_letter_fixes")),
    )
    for statement in {"sqlite": _SQLITE_TRIGGERS, "postgresql": _POSTGRESQL_TRIGGERS}[dialect]:
        op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")


def _letters_anew() -> None:
    """SQLite alters no check: the table is written anew with the rows that it has."""
    op.drop_index("ix_dead_letters_where", "dead_letters")
    op.rename_table("dead_letters", "dead_letters_before")
    op.create_table(
        "dead_letters",
        sa.Column("dead_letter_id", sa.String(64), nullable=False),
        sa.Column("connection", sa.String(140), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("resource", sa.String(80), nullable=False),
        sa.Column("source_id", sa.Text),
        sa.Column("order_ref", sa.Text),
        sa.Column("shipment_ref", sa.Text),
        sa.Column("reason", sa.String(60), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("raw_sha256", sa.String(64), nullable=False),
        sa.Column("trace_id", sa.String(140), nullable=False),
        sa.Column("run_id", sa.String(140), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("received_at", sa.String(32), nullable=False),
        sa.Column("park_until", sa.String(32)),
        sa.Column("source_version", sa.String(32)),
        sa.Column("fields", sa.Text),
        sa.Column("decided_by", sa.String(140)),
        sa.Column("decided_because", sa.Text),
        sa.Column("decided_at", sa.String(32)),
        sa.CheckConstraint(_STATUSES, name=op.f("ck_dead_letters_status")),
        sa.CheckConstraint(_DECIDED, name=op.f("ck_dead_letters_decided")),
        sa.PrimaryKeyConstraint("dead_letter_id", name=op.f("pk_dead_letters")),
    )
    op.execute(f"INSERT INTO dead_letters ({_CAME}) SELECT {_CAME} FROM dead_letters_before")
    op.drop_table("dead_letters_before")
    op.create_index(op.f("ix_dead_letters_where"), "dead_letters", ["connection", "resource", "status"])


def _letters_altered() -> None:
    op.add_column("dead_letters", sa.Column("decided_by", sa.String(140)))
    op.add_column("dead_letters", sa.Column("decided_because", sa.Text))
    op.add_column("dead_letters", sa.Column("decided_at", sa.String(32)))
    op.drop_constraint(op.f("ck_dead_letters_status"), "dead_letters", type_="check")
    op.create_check_constraint(op.f("ck_dead_letters_status"), "dead_letters", _STATUSES)
    op.create_check_constraint(op.f("ck_dead_letters_decided"), "dead_letters", _DECIDED)
