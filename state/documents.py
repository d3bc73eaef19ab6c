"""Which partner uploaded which document of which proof: what a proof may name as its evidence.

Belongs here: the record. The bytes lie under their SHA-256 in the vault (``vault``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from state.engine import reading
from state.insert import insert_ignoring
from state.tables_of_keys import documents as table


@dataclass(frozen=True)
class Document:
    """One uploaded document; ``derivative_sha256`` names what is shown of it, None where nothing is (a PDF)."""

    partner: str
    pod_id: str
    sha256: str
    kind: str
    mime_type: str
    size_bytes: int
    derivative_sha256: str | None
    uploaded_at: datetime


def record(engine: Engine, document: Document) -> bool:
    """Keep it; False when the partner uploaded the same document for the same proof before."""
    with engine.begin() as db:
        return insert_ignoring(db, table, [vars(document)]) == 1


def uploaded(engine: Engine, partner: str, pod_id: str, digests: Collection[str]) -> dict[str, Document]:
    """Those documents of a partner's proof that were uploaded, by their SHA-256."""
    query = select(*(table.c[name] for name in Document.__dataclass_fields__)).where(
        table.c.partner == partner, table.c.pod_id == pod_id, table.c.sha256.in_(sorted(set(digests)))
    )
    with reading(engine) as db:
        return {row["sha256"]: Document(**row) for row in db.execute(query).mappings()}
