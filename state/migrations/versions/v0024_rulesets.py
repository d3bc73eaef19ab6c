"""Which rules each gate judges by: proposed by one person, approved by another, and what is released by others is refused.

The decisions that are there stay as they are. A store without rules takes those of its release with the next decision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_CHANGED = """OLD.answer IS NOT NULL
    OR OLD.ruleset_id IS DISTINCT FROM NEW.ruleset_id
    OR OLD.gate IS DISTINCT FROM NEW.gate
    OR OLD.ruleset_version IS DISTINCT FROM NEW.ruleset_version
    OR OLD.policy_version IS DISTINCT FROM NEW.policy_version
    OR OLD.content IS DISTINCT FROM NEW.content
    OR OLD.proposed_by IS DISTINCT FROM NEW.proposed_by
    OR OLD.proposed_because IS DISTINCT FROM NEW.proposed_because
    OR OLD.proposed_at IS DISTINCT FROM NEW.proposed_at"""
_SUPERSEDED = """EXISTS (SELECT 1 FROM rulesets AS newer
    WHERE newer.gate = NEW.gate AND newer.ruleset_id > NEW.ruleset_id)"""
_AT_ONCE = """NEW.answer IS NOT NULL AND (NEW.answer <> 'shipped' OR EXISTS (SELECT 1 FROM rulesets AS earlier
    WHERE earlier.gate = NEW.gate AND earlier.answer IN ('shipped', 'granted')))"""
_OTHER = """NEW.verdict = 'released' AND NEW.ruleset_version IS DISTINCT FROM (SELECT standing.ruleset_version
    FROM rulesets AS standing WHERE standing.gate = '{gate}' AND standing.answer IN ('shipped', 'granted')
    ORDER BY standing.ruleset_id DESC LIMIT 1)"""
_GUARDS = (
    ("rulesets_answered_once", "UPDATE", "rulesets", _CHANGED, "rulesets: an answer stands"),
    ("rulesets_newest_alone", "UPDATE", "rulesets", _SUPERSEDED, "rulesets: a newer proposal took its place"),
    ("rulesets_shipped_later", "UPDATE", "rulesets", "NEW.answer = 'shipped'", "rulesets: nobody answers so"),
    ("rulesets_proposed_first", "INSERT", "rulesets", _AT_ONCE, "rulesets: proposed first, answered after that"),
    ("gate_decisions_by_approved_rules", "INSERT", "gate_decisions", _OTHER.format(gate="flows"),
     "gate_decisions: not by the rules in force"),
    ("credit_decisions_by_approved_rules", "INSERT", "credit_decisions", _OTHER.format(gate="credit_notes"),
     "credit_decisions: not by the rules in force"),
)  # fmt: skip
_KEPT = {
    "sqlite": (
        """CREATE TRIGGER rulesets_no_delete BEFORE DELETE ON rulesets
    BEGIN SELECT RAISE(ABORT, 'rulesets: append-only'); END""",
    ),
    "postgresql": (
        """CREATE TRIGGER rulesets_kept BEFORE DELETE ON rulesets
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
        """CREATE TRIGGER rulesets_not_truncated BEFORE TRUNCATE ON rulesets
    FOR EACH STATEMENT EXECUTE FUNCTION kept_for_ever()""",
    ),
}


def upgrade() -> None:
    """One table, its guards, and one guard more for each kind of decision."""
    op.create_table(
        "rulesets",
        sa.Column("ruleset_id", sa.Integer, nullable=False),
        sa.Column("gate", sa.String(20), nullable=False),
        sa.Column("ruleset_version", sa.String(140), nullable=False),
        sa.Column("policy_version", sa.String(140), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("proposed_by", sa.String(140), nullable=False),
        sa.Column("proposed_because", sa.Text, nullable=False),
        sa.Column("proposed_at", sa.String(32), nullable=False),
        sa.Column("answer", sa.String(20)),
        sa.Column("answered_by", sa.String(140)),
        sa.Column("answered_because", sa.Text),
        sa.Column("answered_at", sa.String(32)),
        sa.Column("answered_for", sa.String(140)),
        sa.CheckConstraint("gate IN ('flows', 'credit_notes')", name=op.f("ck_rulesets_gate")),
        sa.CheckConstraint("answer IN ('shipped', 'granted', 'rejected')", name=op.f("ck_rulesets_answer")),
        sa.CheckConstraint(
            "answer IS NULL OR (answered_by IS NOT NULL AND answered_at IS NOT NULL AND trim(answered_by) <> '' "
            "AND (answer = 'shipped' OR lower(trim(answered_by)) <> lower(trim(proposed_by))))",
            name=op.f("ck_rulesets_four_eyes"),
        ),
        sa.CheckConstraint(
            "answer IS NULL OR (answered_for IS NOT NULL AND answered_for = ruleset_version)",
            name=op.f("ck_rulesets_bound"),
        ),
        sa.CheckConstraint(
            "trim(proposed_by) <> '' AND trim(proposed_because) <> '' AND (answer IS NULL "
            "OR (answered_because IS NOT NULL AND trim(answered_because) <> ''))",
            name=op.f("ck_rulesets_said"),
        ),
        sa.PrimaryKeyConstraint("ruleset_id", name=op.f("pk_rulesets")),
    )
    op.create_index("ix_rulesets_gate", "rulesets", ["gate", "ruleset_id"])
    dialect = op.get_context().dialect.name
    guarded = {"sqlite": _sqlite, "postgresql": _postgresql}[dialect]
    for guard in _GUARDS:
        guarded(*guard)
    for statement in _KEPT[dialect]:
        op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")


def _sqlite(name: str, event: str, table: str, refused: str, told: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {refused} "
        f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
    )


def _postgresql(name: str, event: str, table: str, refused: str, told: str) -> None:
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger AS $$ BEGIN "
        f"IF {refused} THEN RAISE EXCEPTION '{told}'; END IF; RETURN NEW; END $$ LANGUAGE plpgsql"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
