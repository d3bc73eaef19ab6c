"""Approvals: asked for by one person, answered by another, and never changed after that."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CHANGED = """OLD.answer IS NOT NULL
    OR OLD.business_id IS DISTINCT FROM NEW.business_id
    OR OLD.revision IS DISTINCT FROM NEW.revision
    OR OLD.shipment_no IS DISTINCT FROM NEW.shipment_no
    OR OLD.decision_id IS DISTINCT FROM NEW.decision_id
    OR OLD.codes IS DISTINCT FROM NEW.codes
    OR OLD.input_hash IS DISTINCT FROM NEW.input_hash
    OR OLD.content_hash IS DISTINCT FROM NEW.content_hash
    OR OLD.ruleset_version IS DISTINCT FROM NEW.ruleset_version
    OR OLD.asked_by IS DISTINCT FROM NEW.asked_by
    OR OLD.asked_because IS DISTINCT FROM NEW.asked_because
    OR OLD.asked_at IS DISTINCT FROM NEW.asked_at"""
_SQLITE_TRIGGERS = (
    """CREATE TRIGGER approvals_no_delete BEFORE DELETE ON approvals
    BEGIN SELECT RAISE(ABORT, 'approvals: append-only'); END""",
    f"""CREATE TRIGGER approvals_answered_once BEFORE UPDATE ON approvals
    WHEN {_CHANGED}
    BEGIN SELECT RAISE(ABORT, 'approvals: an answer stands'); END""",
)
_POSTGRESQL_TRIGGERS = (
    """CREATE TRIGGER approvals_kept BEFORE DELETE ON approvals
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
    f"""CREATE FUNCTION approvals_answered_once() RETURNS trigger AS $$ BEGIN
    IF {_CHANGED}
    THEN RAISE EXCEPTION 'approvals: an answer stands'; END IF;
    RETURN NEW; END $$ LANGUAGE plpgsql""",
    """CREATE TRIGGER approvals_answered_once BEFORE UPDATE ON approvals
    FOR EACH ROW EXECUTE FUNCTION approvals_answered_once()""",
)


def upgrade() -> None:
    """One table, with four eyes in it."""
    op.create_table(
        "approvals",
        sa.Column("approval_id", sa.Integer, nullable=False),
        sa.Column("business_id", sa.String(140), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("shipment_no", sa.Text, nullable=False),
        sa.Column("decision_id", sa.String(64), nullable=False),
        sa.Column("codes", sa.Text, nullable=False),
        sa.Column("input_hash", sa.String(64), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("ruleset_version", sa.String(140), nullable=False),
        sa.Column("amount", sa.String(40)),
        sa.Column("currency", sa.String(3)),
        sa.Column("asked_by", sa.String(140), nullable=False),
        sa.Column("asked_because", sa.Text, nullable=False),
        sa.Column("asked_at", sa.String(32), nullable=False),
        sa.Column("answer", sa.String(20)),
        sa.Column("answered_by", sa.String(140)),
        sa.Column("answered_because", sa.Text),
        sa.Column("answered_at", sa.String(32)),
        sa.CheckConstraint("answer IN ('granted', 'rejected')", name=op.f("ck_approvals_answer")),
        sa.CheckConstraint(
            "answer IS NULL OR (answered_by IS NOT NULL AND answered_at IS NOT NULL "
            "AND trim(answered_by) <> '' AND lower(trim(answered_by)) <> lower(trim(asked_by)))",
            name=op.f("ck_approvals_four_eyes"),
        ),
        sa.PrimaryKeyConstraint("approval_id", name=op.f("pk_approvals")),
    )
    op.create_index("ix_approvals_business", "approvals", ["business_id", "revision", "approval_id"])
    by_dialect = {"sqlite": _SQLITE_TRIGGERS, "postgresql": _POSTGRESQL_TRIGGERS}
    for statement in by_dialect[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
