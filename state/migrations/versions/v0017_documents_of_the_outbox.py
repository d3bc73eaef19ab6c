"""The bytes that are sent move out of the outbox: to change a row's state no longer writes its invoice again.

They lie under their effect and hash, and nobody changes or removes them; no row names bytes that are not there. What
approvals of credit notes are held against are these bytes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NO_DOCUMENT = """NOT EXISTS (SELECT 1 FROM outbox_documents AS document
    WHERE document.idempotency_key = NEW.idempotency_key AND document.payload_hash = NEW.payload_hash)"""
_NOT_APPROVED = """NEW.operation = 'credit_note' AND NOT EXISTS (SELECT 1 FROM credit_notes AS note, outbox_documents AS document
    WHERE note.idempotency_key = NEW.idempotency_key AND note.payload_hash = NEW.payload_hash
    AND document.idempotency_key = NEW.idempotency_key AND document.payload_hash = NEW.payload_hash
    AND note.payload = document.payload AND note.answer = 'granted')"""
_UNKNOWN_BYTES, _UNAPPROVED = "outbox: its document is not there", "outbox: nobody approved this credit note"
_NAMES_BYTES = "UPDATE OF idempotency_key, payload_hash"
_GUARDS = (
    ("outbox_credit_approved", "INSERT", _NOT_APPROVED, _UNAPPROVED),
    ("outbox_credit_replaced", _NAMES_BYTES, _NOT_APPROVED, _UNAPPROVED),
    ("outbox_has_document", "INSERT", _NO_DOCUMENT, _UNKNOWN_BYTES),
    ("outbox_keeps_document", _NAMES_BYTES, _NO_DOCUMENT, _UNKNOWN_BYTES),
)
_KEPT = {
    "sqlite": tuple(
        f"""CREATE TRIGGER outbox_documents_no_{verb.lower()} BEFORE {verb} ON outbox_documents
    BEGIN SELECT RAISE(ABORT, 'outbox_documents: append-only'); END"""
        for verb in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        """CREATE TRIGGER outbox_documents_kept BEFORE UPDATE OR DELETE ON outbox_documents
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
        """CREATE TRIGGER outbox_documents_not_truncated BEFORE TRUNCATE ON outbox_documents
    FOR EACH STATEMENT EXECUTE FUNCTION kept_for_ever()""",
    ),
}


def upgrade() -> None:
    """One table more, filled from a column that goes; the guards that read the column anew."""
    dialect = op.get_context().dialect.name
    op.create_table(
        "outbox_documents",
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        sa.Column("payload_hash", sa.String(64), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("idempotency_key", "payload_hash", name=op.f("pk_outbox_documents")),
    )
    op.execute(
        "INSERT INTO outbox_documents (idempotency_key, payload_hash, payload) "
        "SELECT idempotency_key, payload_hash, payload FROM outbox ORDER BY outbox_id"
    )
    for name in ("outbox_credit_approved", "outbox_credit_replaced"):
        op.execute(f"DROP TRIGGER {name}" + (" ON outbox" if dialect == "postgresql" else ""))
    op.drop_column("outbox", "payload")
    guarded = {"sqlite": _sqlite, "postgresql": _postgresql}[dialect]
    for guard in _GUARDS:
        guarded(*guard)
    for statement in _KEPT[dialect]:
        op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")


def _sqlite(name: str, event: str, refused: str, told: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} ON outbox WHEN {refused} "
        f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
    )


def _postgresql(name: str, event: str, refused: str, told: str) -> None:
    op.execute(
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$ BEGIN "
        f"IF {refused} THEN RAISE EXCEPTION '{told}'; END IF; "
        f"RETURN NEW; END $$ LANGUAGE plpgsql"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON outbox FOR EACH ROW EXECUTE FUNCTION {name}()")
