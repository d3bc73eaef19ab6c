"""The kill switch: pulled by one person, released by two, and never forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CHANGED = """OLD.released_at IS NOT NULL
    OR OLD.kind IS DISTINCT FROM NEW.kind
    OR OLD.name IS DISTINCT FROM NEW.name
    OR OLD.pulled_by IS DISTINCT FROM NEW.pulled_by
    OR OLD.pulled_because IS DISTINCT FROM NEW.pulled_because
    OR OLD.pulled_at IS DISTINCT FROM NEW.pulled_at"""
_SQLITE_TRIGGERS = (
    """CREATE TRIGGER kill_switches_no_delete BEFORE DELETE ON kill_switches
    BEGIN SELECT RAISE(ABORT, 'kill_switches: append-only'); END""",
    f"""CREATE TRIGGER kill_switches_stand BEFORE UPDATE ON kill_switches
    WHEN {_CHANGED}
    BEGIN SELECT RAISE(ABORT, 'kill_switches: what was done stands'); END""",
)
_POSTGRESQL_TRIGGERS = (
    """CREATE TRIGGER kill_switches_kept BEFORE DELETE ON kill_switches
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
    f"""CREATE FUNCTION kill_switches_stand() RETURNS trigger AS $$ BEGIN
    IF {_CHANGED}
    THEN RAISE EXCEPTION 'kill_switches: what was done stands'; END IF;
    RETURN NEW; END $$ LANGUAGE plpgsql""",
    """CREATE TRIGGER kill_switches_stand BEFORE UPDATE ON kill_switches
    FOR EACH ROW EXECUTE FUNCTION kill_switches_stand()""",
)


def upgrade() -> None:
    """One table with one standing switch per scope."""
    op.create_table(
        "kill_switches",
        sa.Column("switch_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("pulled_by", sa.String(140), nullable=False),
        sa.Column("pulled_because", sa.Text, nullable=False),
        sa.Column("pulled_at", sa.String(32), nullable=False),
        sa.Column("release_asked_by", sa.String(140)),
        sa.Column("release_asked_because", sa.Text),
        sa.Column("release_asked_at", sa.String(32)),
        sa.Column("released_by", sa.String(140)),
        sa.Column("released_because", sa.Text),
        sa.Column("released_at", sa.String(32)),
        sa.CheckConstraint(
            "(kind = 'global' AND name = '') OR (kind IN ('destination', 'company') AND name <> '')",
            name=op.f("ck_kill_switches_scope"),
        ),
        sa.CheckConstraint(
            "released_at IS NULL OR (released_by IS NOT NULL AND release_asked_by IS NOT NULL "
            "AND trim(released_by) <> '' AND lower(trim(released_by)) <> lower(trim(release_asked_by)))",
            name=op.f("ck_kill_switches_two_people"),
        ),
        sa.PrimaryKeyConstraint("switch_id", name=op.f("pk_kill_switches")),
    )
    op.create_index(
        "ix_kill_switches_standing",
        "kill_switches",
        ["kind", "name"],
        unique=True,
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    )
    by_dialect = {"sqlite": _SQLITE_TRIGGERS, "postgresql": _POSTGRESQL_TRIGGERS}
    for statement in by_dialect[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
