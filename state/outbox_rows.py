"""What an effect is before, and once, it lies in the outbox: the row types and the one way to read them.

Belongs here: no change of anything. The bytes lie in a table of their own, and are read only by who sends or compares
them: to look at a row, or to change its state, would otherwise read and write its whole invoice.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, and_, select

from core.ids import idempotency_key
from state.tables import outbox, outbox_documents
from state.transitions import SeenAs


@dataclass(frozen=True)
class NewEffect:
    """What the gate released: the bytes that will be sent, and every charge line that they bill.

    ``order_key``: with which it takes turns at its destination; None when it waits for nothing there (``order_keys``).
    """

    company: str
    destination: str
    operation: str
    business_id: str
    revision: int
    shipment_no: str
    decision_id: str
    payload: bytes
    payload_hash: str
    content_hash: str
    input_hash: str
    amount: Decimal
    currency: str
    charge_keys: tuple[str, ...]
    order_key: str | None = None

    @cached_property
    def idempotency_key(self) -> str:
        """SHA-256 of the five values that make the effect; asked for ten times as it is enqueued."""
        return idempotency_key(
            self.company, self.destination, self.operation, self.business_id, self.revision
        )


@dataclass(frozen=True)
class OutboxEntry:
    """One effect as it stands, without its bytes."""

    outbox_id: int
    idempotency_key: str
    company: str
    destination: str
    operation: str
    business_id: str
    revision: int
    shipment_no: str
    decision_id: str
    payload_hash: str
    content_hash: str
    input_hash: str
    amount: Decimal
    currency: str
    state: str
    fencing_token: int
    leased_by: str | None
    leased_until: datetime | None
    attempt_count: int
    may_exist: bool
    seen_as: SeenAs | None
    not_before: datetime | None
    last_error: str | None
    enqueued_at: datetime
    updated_at: datetime
    order_key: str | None


@dataclass(frozen=True)
class OutboxRow(OutboxEntry):
    """One effect as it stands, with the bytes that are sent."""

    payload: bytes


ENTRY = tuple(outbox.c[each.name] for each in fields(OutboxEntry))
"""The columns of an entry: all of the row."""
_ITS_DOCUMENT = and_(
    outbox_documents.c.idempotency_key == outbox.c.idempotency_key,
    outbox_documents.c.payload_hash == outbox.c.payload_hash,
)


def entries(db: Connection, *conditions: Any) -> list[OutboxEntry]:
    """The entries that meet the conditions, oldest first."""
    query = select(*ENTRY).where(*conditions).order_by(outbox.c.outbox_id)
    return [OutboxEntry(**row._mapping) for row in db.execute(query)]


def rows(db: Connection, *conditions: Any, most: int | None = None) -> list[OutboxRow]:
    """The same with their payloads; ``most`` of them at most."""
    query = (
        select(*ENTRY, outbox_documents.c.payload).join(outbox_documents, _ITS_DOCUMENT).where(*conditions)
    )
    return [OutboxRow(**row._mapping) for row in db.execute(query.order_by(outbox.c.outbox_id).limit(most))]
