"""The outbox: one row per effect in a foreign system, and the only functions that may move it.

Every function works inside one transaction; the database's own trigger refuses what ``transitions`` has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Engine, func, insert, or_, select, update

from core.errors import PermanentFailure
from state import ledger, order_keys, outbox_documents, outbox_rows, revisions
from state.engine import reading
from state.insert import insert_ignoring
from state.ledger import Event
from state.outbox_moves import ACTOR, LostToAnother, Move, few, move_all
from state.outbox_rows import NewEffect, OutboxEntry, OutboxRow
from state.tables import charge_lines, outbox
from state.transitions import REPLACEABLE, UNSENT

E = TypeVar("E", bound=OutboxEntry)
_STORED = tuple(each.name for each in fields(NewEffect) if each.name not in {"payload", "charge_keys"})
_BEGINS_AS = (
    "state",
    "fencing_token",
    "attempt_count",
    "may_exist",
    "enqueued_at",
    "updated_at",
    "not_before",
)
NEW = ("idempotency_key", *_BEGINS_AS, *_STORED)
"""The columns of ``new_row``."""
_DOUBTFUL = 500
"""Rows in doubt that are read at once."""
Enqueued = Literal["new", "known", "refreshed", "changed", "cancelled"]


def enqueue(db: Connection, effect: NewEffect, now: datetime) -> Enqueued:
    """Put an effect into the outbox, once, inside the caller's transaction.

    ``known``: the same content is there already; its stored bytes stay. ``refreshed``: nothing had been sent
    and the newer decision's bytes replace the old. ``changed``: something was sent under this key with other
    content: refused, nothing written. ``cancelled``: two people decided that nothing is ever sent under this key,
    whatever its content, until two people take that back. PermanentFailure, with nothing written, when another effect bills one of
    the charge lines, or the revision before is not credited.
    """
    key = effect.idempotency_key
    standing = select(outbox.c.state, outbox.c.content_hash, outbox.c.may_exist)
    present = db.execute(standing.where(outbox.c.idempotency_key == key)).one_or_none()
    if present is not None and present.state == "CANCELLED":
        return "cancelled"
    if present is not None and present.content_hash == effect.content_hash:
        if present.state == "BLOCKED":
            # Its lines may have been set free meanwhile.
            with db.begin_nested():
                _claim(db, key, effect.charge_keys)
        if present.state in UNSENT:
            newer = {name: getattr(effect, name) for name in ("decision_id", "input_hash", "order_key")}
            _requeue(db, key, present.state, now, newer)
        return "known"
    if present is not None and (present.may_exist or present.state not in REPLACEABLE):
        return "changed"
    revisions.refuse_uncredited(db, effect)
    with db.begin_nested():
        _claim(db, key, effect.charge_keys)
    outbox_documents.keep(db, [effect])
    if present is not None:
        _requeue(db, key, present.state, now, _fields(effect))
        return "refreshed"
    db.execute(insert(outbox).values(**new_row(effect, now)))
    ledger.append_all(db, [enqueued_event(effect)])
    return "new"


def new_row(effect: NewEffect, now: datetime) -> dict[str, Any]:
    """What is inserted of an effect that is not there yet."""
    key = effect.idempotency_key
    return {
        "idempotency_key": key,
        "state": "READY",
        "fencing_token": 0,
        "attempt_count": 0,
        "may_exist": False,
        "enqueued_at": now,
        "updated_at": now,
        **_fields(effect),
    }


def enqueued_event(effect: NewEffect) -> Event:
    """What the ledger says of it."""
    told = {"business_id": effect.business_id, "payload": effect.payload_hash, "decision": effect.decision_id}
    return Event("enqueued", ACTOR, effect.idempotency_key, told)


def states_of(engine: Engine, keys: Sequence[str]) -> dict[str, str]:
    """Idempotency key → state, of those that are there."""
    found: dict[str, str] = {}
    with reading(engine) as db:
        for some in few(keys):
            query = select(outbox.c.idempotency_key, outbox.c.state)
            read = db.execute(query.where(outbox.c.idempotency_key.in_(some)))
            found.update({row.idempotency_key: row.state for row in read})
    return found


def of_keys(engine: Engine, keys: Sequence[str]) -> list[OutboxEntry]:
    """The entries of these keys, in the keys' order."""
    found: dict[str, OutboxEntry] = {}
    with reading(engine) as db:
        for some in few(keys):
            read = outbox_rows.entries(db, outbox.c.idempotency_key.in_(some))
            found.update({each.idempotency_key: each for each in read})
    return [found[key] for key in dict.fromkeys(keys) if key in found]


def was_made_before(engine: Engine, row: OutboxEntry) -> bool:
    """Whether an earlier revision was acknowledged, for a document that its revisions share."""
    earlier = select(outbox.c.outbox_id).where(
        outbox.c.destination == row.destination,
        outbox.c.order_key == row.order_key,
        outbox.c.operation == row.operation,
        outbox.c.revision < row.revision,
        outbox.c.state.in_(("ACKED", "RECONCILED")),
    )
    with reading(engine) as db:
        return db.scalar(earlier.limit(1)) is not None


def move(
    db: Connection,
    row: E,
    state: str,
    now: datetime,
    values: dict[str, Any] | None = None,
    actor: str = ACTOR,
) -> E:
    """Move a row from where it was seen, record it as the actor's doing, return it as it is then.

    LostToAnother when it is no longer where it was seen, or no longer ours.
    """
    moved = move_all(db, [Move(row, state, values or {})], now, actor)[0]
    if moved is None:
        raise LostToAnother(
            f"Another worker has taken {row.shipment_no} over.",
            remedy="Nothing: that worker goes on with it.",
        )
    return moved


def rows(engine: Engine, *states: str) -> list[OutboxEntry]:
    """Every entry, or those in the given states, oldest first."""
    with reading(engine) as db:
        return outbox_rows.entries(db, *([outbox.c.state.in_(states)] if states else []))


def operations(engine: Engine, destination: str) -> set[str]:
    """What was ever to be done at a destination."""
    query = select(outbox.c.operation).where(outbox.c.destination == destination).distinct()
    with reading(engine) as db:
        return set(db.scalars(query))


def in_doubt(engine: Engine, destination: str, after: int = 0) -> list[OutboxRow]:
    """What nobody knows the fate of, with the bytes to compare what is found with: a part, those that follow the row
    ``after``. After a restore it may be everything that was open."""
    doubtful = (outbox.c.destination == destination, outbox.c.state == "UNKNOWN", outbox.c.outbox_id > after)
    with reading(engine) as db:
        return outbox_rows.rows(db, *doubtful, most=_DOUBTFUL)


def unacknowledged(engine: Engine, destination: str) -> list[OutboxRow]:
    """What was released and not acknowledged, with the bytes that say on which day it is to be issued."""
    over = ("BLOCKED", "CANCELLED", "ACKED", "RECONCILED")
    with reading(engine) as db:
        return outbox_rows.rows(db, outbox.c.destination == destination, outbox.c.state.not_in(over))


def unposted(engine: Engine, destination: str) -> int:
    """How many released rows are not in the destination: under way, waiting, held or dead."""
    left = ("READY", "SENDING", "RETRY_WAIT", "UNKNOWN", "HELD", "CONFLICT", "DEAD")
    query = select(func.count()).where(outbox.c.destination == destination, outbox.c.state.in_(left))
    with reading(engine) as db:
        return db.scalar(query) or 0


def is_waiting(engine: Engine, destination: str, until: datetime) -> bool:
    """Whether anything waits that becomes due before ``until``."""
    waiting = select(outbox.c.outbox_id).where(
        outbox.c.destination == destination,
        outbox.c.state.in_(("RETRY_WAIT", "UNKNOWN")),
        or_(outbox.c.not_before.is_(None), outbox.c.not_before <= until),
    )
    with reading(engine) as db:
        return db.scalar(waiting.limit(1)) is not None


def is_due(engine: Engine, destination: str, now: datetime) -> bool:
    """Whether a push would find something to do: to send, to send again, or to look up."""
    waiting = select(outbox.c.outbox_id).where(
        outbox.c.destination == destination,
        outbox.c.state.in_(("READY", "RETRY_WAIT", "UNKNOWN")),
        or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now),
        or_(outbox.c.state != "READY", order_keys.in_turn()),
    )
    with reading(engine) as db:
        return db.scalar(waiting.limit(1)) is not None


def _fields(effect: NewEffect) -> dict[str, Any]:
    return {name: getattr(effect, name) for name in _STORED} | {"not_before": None}


def _claim(db: Connection, key: str, charge_keys: Sequence[str]) -> None:
    """Make the charge lines this effect's own: the primary key lets no second invoice bill them."""
    insert_ignoring(db, charge_lines, [{"charge_key": each, "idempotency_key": key} for each in charge_keys])
    refuse_claimed(db, key, charge_keys)


def refuse_claimed(db: Connection, key: str, charge_keys: Sequence[str]) -> None:
    """PermanentFailure when another effect than ``key`` bills any of the charge lines."""
    claimed = (
        select(charge_lines.c.charge_key, outbox.c.shipment_no, outbox.c.state)
        .outerjoin(outbox, outbox.c.idempotency_key == charge_lines.c.idempotency_key)
        .where(charge_lines.c.charge_key.in_(charge_keys), charge_lines.c.idempotency_key != key)
        .order_by(charge_lines.c.charge_key)
    )
    if foreign := db.execute(claimed).all():
        lines = ", ".join(each.charge_key for each in foreign[:3])
        if cancelled := [each.shipment_no for each in foreign if each.state == "CANCELLED"]:
            raise PermanentFailure(
                f"The invoice of {cancelled[0]}, which two people cancelled, keeps {lines}.",
                remedy=f"`waybill outbox propose {cancelled[0]} --to bill-again` sets them free once somebody else confirms it.",
            )
        raise PermanentFailure(
            f"Another invoice bills {lines}.",
            remedy="Credit that invoice first, or correct the shipment.",
        )


def _requeue(db: Connection, key: str, before: str, now: datetime, values: dict[str, Any]) -> None:
    """Make an unsent row READY under a newer decision."""
    db.execute(
        update(outbox).where(outbox.c.idempotency_key == key).values(state="READY", updated_at=now, **values)
    )
    if before != "READY":
        ledger.append(db, "requeued", ACTOR, key, {"decision": values["decision_id"]})
