"""Drafts of credit notes, and what the database refuses around them.

No credit note without a second person's word on these very bytes, none of an invoice that is not posted; no next
revision and no charge line set free before the credit note is posted.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_DRAFT = (
    "idempotency_key", "invoice_key", "shipment_no", "credited_erp_id", "amount", "currency", "payload",
    "payload_hash", "cause", "cause_key", "drafted_by", "drafted_because", "drafted_at",
)  # fmt: skip
_CHANGED = "OLD.answer IS NOT NULL OR " + " OR ".join(
    f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in _DRAFT
)
_NOT_POSTED = """NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.idempotency_key = NEW.invoice_key
    AND outbox.operation = 'invoice' AND outbox.state IN ('ACKED', 'RECONCILED'))"""
_NOT_APPROVED = """NEW.operation = 'credit_note' AND NOT EXISTS (SELECT 1 FROM credit_notes
    WHERE credit_notes.idempotency_key = NEW.idempotency_key AND credit_notes.payload_hash = NEW.payload_hash
    AND credit_notes.payload = NEW.payload AND credit_notes.answer = 'granted')"""
_NOT_CREDITED = """NEW.operation = 'invoice' AND NEW.revision > 1 AND NOT EXISTS (SELECT 1 FROM outbox AS note
    WHERE note.company = NEW.company AND note.destination = NEW.destination AND note.operation = 'credit_note'
    AND note.business_id = NEW.business_id AND note.revision = NEW.revision - 1
    AND note.state IN ('ACKED', 'RECONCILED'))"""
_STILL_BILLED = """NOT EXISTS (SELECT 1 FROM outbox AS invoice, outbox AS note
    WHERE invoice.idempotency_key = OLD.idempotency_key AND note.company = invoice.company
    AND note.destination = invoice.destination AND note.operation = 'credit_note'
    AND note.business_id = invoice.business_id AND note.revision = invoice.revision
    AND note.state IN ('ACKED', 'RECONCILED'))"""
_GUARDS = (
    ("credit_notes_of_posted", "INSERT", "credit_notes", _NOT_POSTED, "credit_notes: the invoice is not posted"),
    ("credit_notes_answered_once", "UPDATE", "credit_notes", _CHANGED, "credit_notes: an answer stands"),
    ("outbox_credit_approved", "INSERT", "outbox", _NOT_APPROVED, "outbox: nobody approved this credit note"),
    ("outbox_credit_replaced", "UPDATE OF payload, payload_hash", "outbox", _NOT_APPROVED,
     "outbox: nobody approved this credit note"),
    ("outbox_next_revision", "INSERT", "outbox", _NOT_CREDITED, "outbox: the last revision is not credited"),
    ("charge_lines_set_free", "DELETE", "charge_lines", _STILL_BILLED, "charge_lines: an invoice bills this line"),
)  # fmt: skip


def upgrade() -> None:
    """One table and its guards more."""
    op.create_table(
        "credit_notes",
        sa.Column("credit_note_id", sa.Integer, nullable=False),
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        sa.Column("invoice_key", sa.String(64), nullable=False),
        sa.Column("shipment_no", sa.Text, nullable=False),
        sa.Column("credited_erp_id", sa.Text, nullable=False),
        sa.Column("amount", sa.String(40), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("payload_hash", sa.String(64), nullable=False),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("cause_key", sa.Text, nullable=False),
        sa.Column("drafted_by", sa.String(140), nullable=False),
        sa.Column("drafted_because", sa.Text, nullable=False),
        sa.Column("drafted_at", sa.String(32), nullable=False),
        sa.Column("answer", sa.String(20)),
        sa.Column("answered_by", sa.String(140)),
        sa.Column("answered_because", sa.Text),
        sa.Column("answered_at", sa.String(32)),
        sa.CheckConstraint("cause IN ('voided', 'superseded', 'asked')", name=op.f("ck_credit_notes_cause")),
        sa.CheckConstraint(
            "answer IN ('granted', 'rejected', 'withdrawn')", name=op.f("ck_credit_notes_answer")
        ),
        sa.CheckConstraint(
            "answer IS NULL OR (answered_by IS NOT NULL AND answered_at IS NOT NULL AND trim(answered_by) <> '' "
            "AND (answer = 'withdrawn' OR lower(trim(answered_by)) <> lower(trim(drafted_by))))",
            name=op.f("ck_credit_notes_four_eyes"),
        ),
        sa.PrimaryKeyConstraint("credit_note_id", name=op.f("pk_credit_notes")),
    )
    op.create_index(
        "ix_credit_notes_open",
        "credit_notes",
        ["idempotency_key"],
        unique=True,
        sqlite_where=sa.text("answer IS NULL"),
        postgresql_where=sa.text("answer IS NULL"),
    )
    guarded = {"sqlite": _sqlite, "postgresql": _postgresql}[op.get_context().dialect.name]
    for guard in _GUARDS:
        guarded(*guard)
    kept = {
        "sqlite": """CREATE TRIGGER credit_notes_no_delete BEFORE DELETE ON credit_notes
    BEGIN SELECT RAISE(ABORT, 'credit_notes: append-only'); END""",
        "postgresql": """CREATE TRIGGER credit_notes_kept BEFORE DELETE ON credit_notes
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
    }
    op.execute(kept[op.get_context().dialect.name])


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")


def _sqlite(name: str, event: str, table: str, refused: str, told: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {refused} "
        f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
    )


def _postgresql(name: str, event: str, table: str, refused: str, told: str) -> None:
    returned = "OLD" if event == "DELETE" else "NEW"
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger AS $$ BEGIN "
        f"IF {refused} THEN RAISE EXCEPTION '{told}'; END IF; "
        f"RETURN {returned}; END $$ LANGUAGE plpgsql"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
