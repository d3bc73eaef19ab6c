"""Push attempts and receipts: what was tried, recorded before the first byte leaves, and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, Engine, insert, select, update

from state.engine import reading
from state.tables import push_attempts, receipts


@dataclass(frozen=True)
class Receipt:
    """One posted invoice as read back from the foreign system. ``posted_at`` is that system's own word."""

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


def begin(db: Connection, key: str, attempt_no: int, worker: str, fencing_token: int, now: datetime) -> None:
    """Record that something is about to be sent."""
    db.execute(
        insert(push_attempts).values(
            idempotency_key=key,
            attempt_no=attempt_no,
            worker=worker,
            fencing_token=fencing_token,
            started_at=now,
        )
    )


def end(
    db: Connection,
    key: str,
    attempt_no: int,
    now: datetime,
    outcome: str,
    detail: str | None,
    erp_id: str | None,
) -> None:
    """Record how an attempt ended; one that ended before keeps its first ending."""
    db.execute(
        update(push_attempts)
        .where(
            push_attempts.c.idempotency_key == key,
            push_attempts.c.attempt_no == attempt_no,
            push_attempts.c.ended_at.is_(None),
        )
        .values(ended_at=now, outcome=outcome, detail=detail, erp_id=erp_id)
    )


def keep_receipt(db: Connection, receipt: Receipt) -> None:
    """Keep what was read back."""
    fields = vars(receipt) | {"issue_date": receipt.issue_date.isoformat() if receipt.issue_date else None}
    db.execute(insert(receipts).values(**fields))


def all_receipts(engine: Engine) -> dict[str, str]:
    """Idempotency key → the foreign system's id, of everything acknowledged."""
    with reading(engine) as db:
        return {row.idempotency_key: row.erp_id for row in db.execute(select(receipts))}
