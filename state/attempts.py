"""Push attempts and receipts: what was tried, recorded before the first byte leaves, and what came back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, func, insert, or_, select, update

from core.flows import KEPT_UP
from state.engine import reading
from state.outbox_rows import OutboxEntry
from state.prepared import Prepared
from state.tables import outbox, push_attempts, receipts
from state.transitions import SeenAs

_MOST_KEYS = 500
"""Keys asked for in one statement."""
_TOLD = ("outcome", "detail", "erp_id", "seen_as")
_BEGIN = Prepared(
    insert(push_attempts), ("idempotency_key", "attempt_no", "worker", "fencing_token", "started_at")
)
_KEEP = Prepared(insert(receipts), receipts.columns.keys())
_RECEIVED = Prepared(
    select(receipts.c.idempotency_key).where(
        receipts.c.idempotency_key.in_(bindparam("keys", expanding=True))
    )
)
_END = Prepared(
    update(push_attempts)
    .where(
        push_attempts.c.idempotency_key == bindparam("at_key"),
        push_attempts.c.attempt_no == bindparam("at_no"),
        push_attempts.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("to_ended_at"), **{name: bindparam(f"to_{name}") for name in _TOLD})
)


@dataclass(frozen=True)
class Receipt:
    """One posted document as read back from the foreign system. ``posted_at`` is that system's own word.

    ``total_quantity``: of a document that carries no money, whose amounts are 0 and whose currency is XXX; None otherwise.
    """

    idempotency_key: str
    destination: str
    company: str
    business_id: str
    revision: int
    shipment_no: str
    erp_id: str
    customer_id: str
    order_no: str | None
    currency: str
    net_total_amount: Decimal
    tax_total_amount: Decimal
    grand_total_amount: Decimal
    issue_date: date | None
    posted_at: datetime
    read_back_at: datetime
    total_quantity: Decimal | None = None


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: the state its row has then, and the foreign system's id where one is known."""

    idempotency_key: str
    attempt_no: int
    outcome: str
    detail: str | None
    erp_id: str | None
    seen_as: SeenAs | None = None


def begin(db: Connection, rows: Collection[OutboxEntry], worker: str, now: datetime) -> None:
    """Record that these rows, which are SENDING now, are about to be sent."""
    begun = [
        {
            "idempotency_key": row.idempotency_key,
            "attempt_no": row.attempt_count,
            "worker": worker,
            "fencing_token": row.fencing_token,
            "started_at": now,
        }
        for row in rows
    ]
    _BEGIN.change_all(db, begun)


def end(db: Connection, endings: Collection[Ending], now: datetime) -> None:
    """Record how attempts ended; one that ended before keeps its first ending."""
    ended = [
        {
            "at_key": each.idempotency_key,
            "at_no": each.attempt_no,
            "to_ended_at": now,
            **{f"to_{name}": getattr(each, name) for name in _TOLD},
        }
        for each in endings
    ]
    _END.change_all(db, ended)


def many_found_it(engine: Engine, key: str, seen: SeenAs) -> int:
    """How many attempts at an effect ended with a document that was found so, for the next to go on with."""
    query = select(func.count()).where(
        push_attempts.c.idempotency_key == key,
        push_attempts.c.outcome == "RETRY_WAIT",
        push_attempts.c.seen_as == seen,
    )
    with reading(engine) as db:
        return db.scalar(query) or 0


def keep_receipts(db: Connection, kept: Collection[Receipt]) -> None:
    """Keep what was read back first: a row that a person sent back to be looked up has its receipt already."""
    keys = [each.idempotency_key for each in kept]
    there = {key for (key,) in _RECEIVED.rows(db, {"keys": keys})} if keys else set()
    fresh = [
        vars(each) | {"issue_date": each.issue_date.isoformat() if each.issue_date else None}
        for each in kept
        if each.idempotency_key not in there
    ]
    _KEEP.change_all(db, fresh)


def all_receipts(engine: Engine) -> dict[str, str]:
    """Idempotency key → the foreign system's id, of everything acknowledged."""
    with reading(engine) as db:
        return {row.idempotency_key: row.erp_id for row in db.execute(select(receipts))}


def days_to_reconcile(engine: Engine, destination: str) -> tuple[date | None, date | None]:
    """Issue dates: the oldest of what is acknowledged and not reconciled, and the newest of all receipts; of what is kept up
    none is ever reconciled."""
    least, most = func.min(receipts.c.issue_date), func.max(receipts.c.issue_date)
    oldest = select(least).where(outbox.c.state == "ACKED")
    with reading(engine) as db:
        found = [
            db.scalar(
                each.join(outbox, outbox.c.idempotency_key == receipts.c.idempotency_key).where(
                    receipts.c.destination == destination, outbox.c.operation.not_in(KEPT_UP)
                )
            )
            for each in (oldest, select(most))
        ]
    first, last = (date.fromisoformat(each) if each else None for each in found)
    return first, last


def to_reconcile(
    engine: Engine, destination: str, since: date | None, keys: Collection[str]
) -> dict[str, Receipt]:
    """Receipts by key of what stands acknowledged: issued from ``since`` on, not reconciled, or under ``keys``."""
    standing = (
        select(receipts)
        .join(outbox, outbox.c.idempotency_key == receipts.c.idempotency_key)
        .where(
            receipts.c.destination == destination,
            outbox.c.state.in_(("ACKED", "RECONCILED", "CONFLICT")),
            outbox.c.operation.not_in(KEPT_UP),
        )
    )
    issued = receipts.c.issue_date >= (since or date.min).isoformat()
    asked = sorted(keys)
    chosen = [or_(issued, outbox.c.state.in_(("ACKED", "CONFLICT")))]
    chosen += [
        receipts.c.idempotency_key.in_(asked[start : start + _MOST_KEYS])
        for start in range(0, len(asked), _MOST_KEYS)
    ]
    with reading(engine) as db:
        return {
            row.idempotency_key: _receipt(row) for some in chosen for row in db.execute(standing.where(some))
        }


def _receipt(row: Row[Any]) -> Receipt:
    issued = date.fromisoformat(row.issue_date) if row.issue_date else None
    return Receipt(**(dict(row._mapping) | {"issue_date": issued}))
