"""The outbox: one row per effect in a foreign system, and the only functions that may move it.

Every function works inside one transaction; the database's own trigger refuses what ``transitions`` has not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, Engine, insert, or_, select, update

from core.errors import PermanentFailure
from core.ids import idempotency_key
from state import ledger
from state.engine import reading
from state.insert import insert_ignoring
from state.tables import charge_lines, outbox
from state.transitions import REPLACEABLE, UNSENT

ACTOR = "push"


class LostToAnother(PermanentFailure):
    """Another worker moved the row first; it goes on with it."""


@dataclass(frozen=True)
class NewEffect:
    """What the gate released: the bytes that will be sent, and every charge line that they bill."""

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

    @property
    def idempotency_key(self) -> str:
        """SHA-256 of the five values that make the effect."""
        return idempotency_key(
            self.company, self.destination, self.operation, self.business_id, self.revision
        )


@dataclass(frozen=True)
class OutboxRow:
    """One effect as it stands."""

    outbox_id: int
    idempotency_key: str
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
    state: str
    fencing_token: int
    leased_by: str | None
    leased_until: datetime | None
    attempt_count: int
    may_exist: bool
    not_before: datetime | None
    last_error: str | None
    enqueued_at: datetime
    updated_at: datetime


Enqueued = Literal["new", "known", "refreshed", "changed"]


def enqueue(db: Connection, effect: NewEffect, now: datetime) -> Enqueued:
    """Put an effect into the outbox, once, inside the caller's transaction.

    ``known``: the same content is there already; its stored bytes stay. ``refreshed``: nothing had been sent
    and the newer decision's bytes replace the old. ``changed``: something was sent under this key with other
    content: refused, nothing written. PermanentFailure, with nothing written, when another effect bills one of
    the charge lines.
    """
    key = effect.idempotency_key
    fields: dict[str, Any] = {name: value for name, value in vars(effect).items() if name != "charge_keys"}
    fields["not_before"] = None
    present = db.execute(select(outbox).where(outbox.c.idempotency_key == key)).one_or_none()
    if present is not None and present.content_hash == effect.content_hash:
        if present.state in UNSENT:
            _requeue(db, key, now, {"decision_id": effect.decision_id, "input_hash": effect.input_hash})
        return "known"
    if present is not None and (present.may_exist or present.state not in REPLACEABLE):
        return "changed"
    with db.begin_nested():
        _claim(db, key, effect.charge_keys)
    if present is not None:
        _requeue(db, key, now, fields)
        return "refreshed"
    db.execute(
        insert(outbox).values(idempotency_key=key, state="READY", enqueued_at=now, updated_at=now, **fields)
    )
    told = {"business_id": effect.business_id, "payload": effect.payload_hash, "decision": effect.decision_id}
    ledger.append(db, "enqueued", ACTOR, key, told)
    return "new"


def states_of(engine: Engine, keys: Sequence[str]) -> dict[str, str]:
    """Idempotency key → state, of those that are there."""
    with reading(engine) as db:
        found = db.execute(select(outbox.c.idempotency_key, outbox.c.state))
        wanted = set(keys)
        return {row.idempotency_key: row.state for row in found if row.idempotency_key in wanted}


def current(db: Connection, key: str) -> OutboxRow:
    """One row as it is now, inside a transaction."""
    return _rows(db, outbox.c.idempotency_key == key)[0]


def lease(
    engine: Engine, destination: str, worker: str, now: datetime, until: datetime, limit: int
) -> list[OutboxRow]:
    """Take up to ``limit`` due rows, oldest first, for one worker; each gets a new fencing token."""
    due = or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now)
    free = or_(outbox.c.leased_until.is_(None), outbox.c.leased_until <= now)
    query = (
        select(outbox.c.idempotency_key)
        .where(outbox.c.destination == destination, outbox.c.state == "READY", due, free)
        .order_by(outbox.c.outbox_id)
        .limit(limit)
    )
    with engine.begin() as db:
        keys = list(db.scalars(query))
        db.execute(
            update(outbox)
            .where(outbox.c.idempotency_key.in_(keys))
            .values(leased_by=worker, leased_until=until, fencing_token=outbox.c.fencing_token + 1)
        )
        return _rows(db, outbox.c.idempotency_key.in_(keys))


def release_leases(engine: Engine, destination: str, workers: Sequence[str]) -> None:
    """Give back what workers that are gone had taken and not begun."""
    with engine.begin() as db:
        db.execute(
            update(outbox)
            .where(
                outbox.c.destination == destination,
                outbox.c.state == "READY",
                outbox.c.leased_by.in_(workers),
            )
            .values(leased_by=None, leased_until=None, fencing_token=outbox.c.fencing_token + 1)
        )


def is_held(engine: Engine, row: OutboxRow, now: datetime) -> bool:
    """Whether this worker still holds the row it began: asked once more before anything is created."""
    with reading(engine) as db:
        at = current(db, row.idempotency_key)
    return (
        at.state == "SENDING"
        and at.fencing_token == row.fencing_token
        and at.leased_until is not None
        and at.leased_until > now
    )


def move(
    db: Connection, row: OutboxRow, state: str, now: datetime, values: dict[str, Any] | None = None
) -> None:
    """Move a row from where it was seen and record it; LostToAnother when it is no longer there or ours."""
    changed = db.execute(
        update(outbox)
        .where(
            outbox.c.idempotency_key == row.idempotency_key,
            outbox.c.fencing_token == row.fencing_token,
            outbox.c.state == row.state,
        )
        .values(state=state, updated_at=now, **(values or {}))
    ).rowcount
    if changed != 1:
        raise LostToAnother(
            f"Another worker has taken {row.shipment_no} over.",
            remedy="Nothing: that worker goes on with it.",
        )
    ledger.append(db, state.lower(), ACTOR, row.idempotency_key, {"from": row.state, **_told(values or {})})


def rows(engine: Engine, *states: str) -> list[OutboxRow]:
    """Every row, or those in the given states, oldest first."""
    with reading(engine) as db:
        return _rows(db, *([outbox.c.state.in_(states)] if states else []))


def content_by_business(engine: Engine) -> dict[tuple[str, int], tuple[str, str, tuple[str, ...]]]:
    """``(business_id, revision)`` → state, content hash and charge keys of what is or was being sent."""
    keys: defaultdict[str, list[str]] = defaultdict(list)
    with reading(engine) as db:
        for charge in db.execute(select(charge_lines)):
            keys[charge.idempotency_key].append(charge.charge_key)
        found = _rows(db)
    return {
        (each.business_id, each.revision): (
            each.state,
            each.content_hash,
            tuple(sorted(keys[each.idempotency_key])),
        )
        for each in found
    }


def _claim(db: Connection, key: str, charge_keys: Sequence[str]) -> None:
    """Make the charge lines this effect's own: the primary key lets no second invoice bill them."""
    insert_ignoring(db, charge_lines, [{"charge_key": each, "idempotency_key": key} for each in charge_keys])
    foreign = list(
        db.scalars(
            select(charge_lines.c.charge_key).where(
                charge_lines.c.charge_key.in_(charge_keys), charge_lines.c.idempotency_key != key
            )
        )
    )
    if foreign:
        raise PermanentFailure(
            f"Another invoice bills {', '.join(sorted(foreign)[:3])}.",
            remedy="Credit that invoice first, or correct the shipment.",
        )


def _requeue(db: Connection, key: str, now: datetime, values: dict[str, Any]) -> None:
    """Make an unsent row READY under a newer decision."""
    before = current(db, key)
    db.execute(
        update(outbox).where(outbox.c.idempotency_key == key).values(state="READY", updated_at=now, **values)
    )
    if before.state != "READY":
        ledger.append(db, "requeued", ACTOR, key, {"decision": values["decision_id"]})


def _rows(db: Connection, *conditions: Any) -> list[OutboxRow]:
    query = select(outbox).where(*conditions).order_by(outbox.c.outbox_id)
    return [OutboxRow(**row._mapping) for row in db.execute(query)]


def _told(values: dict[str, Any]) -> dict[str, Any]:
    """What the ledger keeps of a change: short facts, never payloads."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
        if name in {"attempt_count", "not_before", "last_error"}
    }
