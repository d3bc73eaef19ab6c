"""What became of an accepted message: where its rows are and why some were refused; where the invoices of shipments stand.

Belongs here: reading. Taking in and settling is ``inbox``'s.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, select

from state.engine import reading
from state.outbox_moves import few
from state.tables import dead_letters, outbox, receipts
from state.tables_of_messages import inbox

_BILLING = ("invoice", "credit_note")
Status = Literal["received", "loaded", "duplicate", "parked", "dead-lettered"]


@dataclass(frozen=True)
class Refusal:
    """A row of the message that was refused or waits for its parent."""

    dead_letter_id: str
    reason: str
    detail: str
    status: str


@dataclass(frozen=True)
class Billing:
    """Where the invoice of a shipment stands; ``erp_id`` and ``posted_at`` once it is in the ERP."""

    shipment_no: str
    operation: str
    state: str
    erp_id: str | None
    posted_at: datetime | None


@dataclass(frozen=True)
class MessageOutcome:
    """What is known of a message; ``status`` is the worst that any of its rows met."""

    message_id: str
    event_id: str
    kind: str
    trace_id: str
    received_at: datetime
    settled_at: datetime | None
    status: Status
    rows: dict[str, int]
    shipments: tuple[str, ...]
    refusals: tuple[Refusal, ...]


def outcome_of(engine: Engine, partner: str, message_id: str) -> MessageOutcome | None:
    """What became of a partner's message; None when it sent none of this id."""
    with reading(engine) as db:
        row = (
            db.execute(select(inbox).where(inbox.c.partner == partner, inbox.c.message_id == message_id))
            .mappings()
            .first()
        )
        if row is None:
            return None
        refusals = _refusals(db, partner, row["trace_id"])
        return MessageOutcome(
            message_id=message_id,
            event_id=row["event_id"],
            kind=row["kind"],
            trace_id=row["trace_id"],
            received_at=row["received_at"],
            settled_at=row["settled_at"],
            status=_status(row, refusals),
            rows={
                name: row[name] or 0 for name in ("rows_in", "loaded", "dead_lettered", "duplicate", "parked")
            },
            shipments=tuple(row["shipments"] or ()),
            refusals=refusals,
        )


def billing_of(engine: Engine, shipment_ids: Collection[str]) -> tuple[Billing, ...]:
    """Where the invoices and credit notes of shipments stand. By their ids: two connections may use one number."""
    query = (
        select(
            outbox.c.shipment_no, outbox.c.operation, outbox.c.state, receipts.c.erp_id, receipts.c.posted_at
        )
        .where(outbox.c.operation.in_(_BILLING))
        .outerjoin(receipts, receipts.c.idempotency_key == outbox.c.idempotency_key)
        .order_by(outbox.c.outbox_id)
    )
    with reading(engine) as db:
        return tuple(
            Billing(**row)
            for some in few(sorted(shipment_ids))
            for row in db.execute(query.where(outbox.c.business_id.in_(some))).mappings()
        )


def _status(row: Any, refusals: tuple[Refusal, ...]) -> Status:
    """What was refused or waits may have been mended since; of such a row its letter says so."""
    if row["settled_at"] is None:
        return "received"
    standing = {each.status for each in refusals}
    if standing & {"open", "replaying"}:
        return "dead-lettered"
    if "parked" in standing:
        return "parked"
    return "duplicate" if row["duplicate"] and not row["loaded"] else "loaded"


def _refusals(db: Connection, partner: str, trace_id: str) -> tuple[Refusal, ...]:
    query = select(
        dead_letters.c.dead_letter_id, dead_letters.c.reason, dead_letters.c.detail, dead_letters.c.status
    ).where(dead_letters.c.connection == partner, dead_letters.c.trace_id == trace_id)
    return tuple(
        Refusal(**row) for row in db.execute(query.order_by(dead_letters.c.dead_letter_id)).mappings()
    )
