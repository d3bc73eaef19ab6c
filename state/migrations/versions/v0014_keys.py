"""Who may speak to the API: keys, webhook secrets, and the shipments and documents that a partner brought in itself."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_REVOKED = (
    "revoked_at IS NULL OR (revoked_by IS NOT NULL AND trim(revoked_by) <> '' "
    "AND revoked_because IS NOT NULL AND trim(revoked_because) <> '')"
)
_MADE = {
    "api_keys": ("key_id", "partner", "secret_sha256", "scopes", "created_by", "created_at", "expires_at"),
    "webhook_secrets": ("secret_id", "partner", "vendor", "sealed", "created_by", "created_at"),
    "documents": (
        "partner", "pod_id", "sha256", "kind", "mime_type", "size_bytes", "derivative_sha256", "uploaded_at",
    ),
}  # fmt: skip


def _changed(table: str) -> str:
    made = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in _MADE[table])
    return made if table == "documents" else f"OLD.revoked_at IS NOT NULL OR {made}"


def _sqlite(table: str) -> tuple[str, ...]:
    return (
        f"""CREATE TRIGGER {table}_as_made BEFORE UPDATE ON {table} WHEN {_changed(table)}
    BEGIN SELECT RAISE(ABORT, '{table}: what was made stays, and what was revoked stays revoked'); END""",
        f"""CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
    BEGIN SELECT RAISE(ABORT, '{table}: append-only'); END""",
    )


def _postgresql(table: str) -> tuple[str, ...]:
    return (
        f"""CREATE FUNCTION {table}_as_made() RETURNS trigger AS $$ BEGIN
    IF {_changed(table)}
    THEN RAISE EXCEPTION '{table}: what was made stays, and what was revoked stays revoked'; END IF;
    RETURN NEW; END $$ LANGUAGE plpgsql""",
        f"""CREATE TRIGGER {table}_as_made BEFORE UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {table}_as_made()""",
        f"""CREATE TRIGGER {table}_kept BEFORE DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION kept_for_ever()""",
        f"""CREATE TRIGGER {table}_not_truncated BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION kept_for_ever()""",
    )


def upgrade() -> None:
    """Four tables more, the guards of three, and an index."""
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("partner", sa.String(140), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_by", sa.String(140), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.String(32), nullable=False),
        sa.Column("last_used_at", sa.String(32)),
        sa.Column("revoked_at", sa.String(32)),
        sa.Column("revoked_by", sa.String(140)),
        sa.Column("revoked_because", sa.Text),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_api_keys_expires")),
        sa.CheckConstraint(_REVOKED, name=op.f("ck_api_keys_revoked")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
    )
    op.create_index("ix_api_keys_partner", "api_keys", ["partner"])
    op.create_table(
        "webhook_secrets",
        sa.Column("secret_id", sa.String(32), nullable=False),
        sa.Column("partner", sa.String(140), nullable=False),
        sa.Column("vendor", sa.String(40), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_by", sa.String(140), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("revoked_at", sa.String(32)),
        sa.Column("revoked_by", sa.String(140)),
        sa.Column("revoked_because", sa.Text),
        sa.CheckConstraint(_REVOKED, name=op.f("ck_webhook_secrets_revoked")),
        sa.PrimaryKeyConstraint("secret_id", name=op.f("pk_webhook_secrets")),
    )
    op.create_index("ix_webhook_secrets_partner", "webhook_secrets", ["partner", "vendor"])
    op.create_table(
        "shipment_claims",
        sa.Column("shipment_no", sa.String(140), nullable=False),
        sa.Column("partner", sa.String(140), nullable=False),
        sa.Column("claimed_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("shipment_no", name=op.f("pk_shipment_claims")),
    )
    op.create_table(
        "documents",
        sa.Column("partner", sa.String(140), nullable=False),
        sa.Column("pod_id", sa.String(140), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("mime_type", sa.String(60), nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("derivative_sha256", sa.String(64)),
        sa.Column("uploaded_at", sa.String(32), nullable=False),
        sa.CheckConstraint("kind IN ('signature', 'photo', 'document')", name=op.f("ck_documents_kind")),
        sa.PrimaryKeyConstraint("partner", "pod_id", "sha256", name=op.f("pk_documents")),
    )
    # Partners ask what became of a message, and so which of its rows were refused.
    op.create_index("ix_dead_letters_trace", "dead_letters", ["trace_id"])
    guards = {"sqlite": _sqlite, "postgresql": _postgresql}[op.get_context().dialect.name]
    for table in _MADE:
        for statement in guards(table):
            op.execute(statement)


def downgrade() -> None:
    """Refused, as every step back."""
    raise RuntimeError("The state store only moves forward: restore a backup instead.")
