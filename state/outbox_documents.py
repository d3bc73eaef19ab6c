"""The bytes of what the outbox sends, each under its effect and hash: written once, never changed.

Belongs here: keeping them. Which of them a row sends says its payload hash; they are read with it (``outbox_rows``).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from state.insert import insert_ignoring
from state.outbox_rows import NewEffect
from state.tables import outbox_documents


def keep(db: Connection, effects: Sequence[NewEffect]) -> None:
    """Keep the bytes of these effects, inside the caller's transaction and before their rows: the database refuses a
    row whose bytes are not there. What is kept already stays as it is."""
    kept = [
        {"idempotency_key": each.idempotency_key, "payload_hash": each.payload_hash, "payload": each.payload}
        for each in effects
    ]
    insert_ignoring(db, outbox_documents, kept)
