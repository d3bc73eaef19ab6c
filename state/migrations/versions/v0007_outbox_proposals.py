"""What operators propose to do with an effect that was given up: confirmed by another person, once."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_CHANGED = """OLD.confirmed_at IS NOT NULL
    OR OLD.idempotency_key IS DISTINCT FROM NEW.idempotency_key
    OR OLD.shipment_no IS DISTINCT FROM NEW.shipment_no
    OR OLD.from_state IS DISTINCT FROM NEW.from_state
    OR OLD.to_state IS DISTINCT FROM NEW.to_state
    OR OLD.found IS DISTINCT FROM NEW.found
    OR OLD.proposed_by IS DISTINCT FROM NEW.proposed_by
    OR OLD.proposed_because IS DISTINCT FROM NEW.proposed_because
    OR OLD.proposed_at IS DISTINCT FROM NEW.proposed_at"""
_SQLITE_TRIGGERS = (
    """CREATE TRIGGER outbox_proposals_no_delete BEFORE DELETE ON outbox_proposals
    BEGIN SELECT RAISE(ABORT, 'outbox_proposals: append-only'); END""",
    f"""CREATE TRIGGER outbox_proposals_confirmed_once BEFORE UPDATE ON outbox_proposals
    WHEN {_CHANGED}
    BEGIN SELECT RAISE(ABORT, 'outbox_proposals: a confirmation stands'); END""",
)
_POSTGRESQL_TRIGGERS = (
    """CREATE TRIGGER outbox_proposals_kept BEFORE DELETE ON outbox_proposals
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
    f"""CREATE FUNCTION outbox_proposals_confirmed_once() RETURNS trigger AS $$ BEGIN
    IF {_CHANGED}
    THEN RAISE EXCEPTION 'outbox_proposals: a confirmation stands'; END IF;
    RETURN NEW; END $$ LANGUAGE plpgsql""",
    """CREATE TRIGGER outbox_proposals_confirmed_once BEFORE UPDATE ON outbox_proposals
    FOR EACH ROW EXECUTE FUNCTION outbox_proposals_confirmed_once()""",
)


def upgrade() -> None:
    """One table more."""
    op.create_table(
        "outbox_proposals",
        sa.Column("proposal_id", sa.Integer, nullable=False),
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        sa.Column("shipment_no", sa.Text, nullable=False),
        sa.Column("from_state", sa.String(20), nullable=False),
        sa.Column("to_state", sa.String(20), nullable=False),
        sa.Column("found", sa.Text, nullable=False),
        sa.Column("proposed_by", sa.String(140), nullable=False),
        sa.Column("proposed_because", sa.Text, nullable=False),
        sa.Column("proposed_at", sa.String(32), nullable=False),
        sa.Column("confirmed_by", sa.String(140)),
        sa.Column("confirmed_because", sa.Text),
        sa.Column("confirmed_at", sa.String(32)),
        sa.CheckConstraint(
            "confirmed_at IS NULL OR (confirmed_by IS NOT NULL "
            "AND trim(confirmed_by) <> '' AND lower(trim(confirmed_by)) <> lower(trim(proposed_by)))",
            name=op.f("ck_outbox_proposals_four_eyes"),
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_outbox_proposals")),
    )
    op.create_index("ix_outbox_proposals_key", "outbox_proposals", ["idempotency_key", "proposal_id"])
    by_dialect = {"sqlite": _SQLITE_TRIGGERS, "postgresql": _POSTGRESQL_TRIGGERS}
    for statement in by_dialect[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
