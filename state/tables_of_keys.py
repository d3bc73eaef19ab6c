"""The tables of who may speak to the API: keys, of which only a hash is kept, webhook secrets, which are encrypted,
the shipments that a partner brought in itself, and the documents that it uploaded.

Belongs here: columns and checks. What may be done with them is ``keys``, ``webhook_secrets``, ``claims`` and ``documents``.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, String, Table, Text

from state.metadata import metadata
from state.types import Instant, JsonText

_REVOKED = (
    "revoked_at IS NULL OR (revoked_by IS NOT NULL AND trim(revoked_by) <> '' "
    "AND revoked_because IS NOT NULL AND trim(revoked_because) <> '')"
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("partner", String(140), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("scopes", JsonText, nullable=False),
    Column("created_by", String(140), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    Column("revoked_by", String(140)),
    Column("revoked_because", Text),
    CheckConstraint("expires_at > created_at", name="expires"),
    CheckConstraint(_REVOKED, name="revoked"),
    Index("ix_api_keys_partner", "partner"),
)

webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("secret_id", String(32), primary_key=True),
    Column("partner", String(140), nullable=False),
    Column("vendor", String(40), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_by", String(140), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_by", String(140)),
    Column("revoked_because", Text),
    CheckConstraint(_REVOKED, name="revoked"),
    Index("ix_webhook_secrets_partner", "partner", "vendor"),
)

shipment_claims = Table(
    "shipment_claims",
    metadata,
    Column("shipment_no", String(140), primary_key=True),
    Column("partner", String(140), nullable=False),
    Column("claimed_at", Instant, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("partner", String(140), primary_key=True),
    Column("pod_id", String(140), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("mime_type", String(60), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("derivative_sha256", String(64)),
    Column("uploaded_at", Instant, nullable=False),
    CheckConstraint("kind IN ('signature', 'photo', 'document')", name="kind"),
)
