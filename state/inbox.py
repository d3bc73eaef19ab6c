"""What partners send by themselves: kept as it came, in one synced transaction, before anybody is told that it is.

Belongs here: taking in, finding what is not settled, and noting what became of it. What a message means is ``ingestion``'s,
who may send it the API's. Many requests in one transaction: ``core.together``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Engine, RowMapping, bindparam, func, insert, select, tuple_, update

from core.ids import new_id, sha256_hex
from state.dead_letters import DeadLetter
from state.engine import reading
from state.insert import insert_ignoring
from state.tables import dead_letters
from state.tables_of_messages import inbox

Channel = Literal["api", "webhook", "mqtt"]
Taken = Literal["accepted", "duplicate", "conflict"]

MEMORY = timedelta(days=90)
"""How long an event id of a partner is the same event; after that it may be used again."""
CONFLICT = "EVENT_ID_REUSED"
"""Reason of the dead letter of a message whose id came before with another body."""
LETTER_KIND = "inbox"
MOST_BYTES = 64_000_000
"""Bodies that are read into memory together: none more once there are so many bytes of them."""
_IDS_AT_ONCE = 500
_ROWS_AT_ONCE = 100


@dataclass(frozen=True)
class Incoming:
    """One message as it came. ``partner`` is a connection's name, ``event_id`` the partner's own, ``kind`` what the body
    is (``proof_of_delivery``, ``webhook:onfleet`` …), ``key_id`` the API key it came with."""

    partner: str
    event_id: str
    channel: Channel
    kind: str
    content_type: str
    body: bytes
    trace_id: str
    received_at: datetime
    key_id: str | None = None


@dataclass(frozen=True)
class Accepted:
    """What became of it at the door. ``message_id`` is where to look: that of the first, for a duplicate or a conflict."""

    message_id: str
    outcome: Taken


@dataclass(frozen=True)
class Message:
    """A message that was taken in; ``message_no`` is its place in the order of arrival."""

    message_no: int
    message_id: str
    partner: str
    event_id: str
    channel: Channel
    kind: str
    content_type: str
    body: bytes
    trace_id: str
    received_at: datetime


@dataclass(frozen=True)
class Settled:
    """What became of one message's rows. ``shipments`` are the ids of the consignments that they name."""

    message_no: int
    rows_in: int
    loaded: int
    dead_lettered: int
    duplicate: int
    parked: int
    shipments: tuple[str, ...] = ()


def accept(engine: Engine, messages: Sequence[Incoming]) -> list[Accepted]:
    """Keep messages, all in one synced transaction; what became of each, in their order.

    The same id with the same body is a duplicate; with another body it is a conflict: it becomes a dead letter.
    """
    if not messages:
        return []
    with engine.begin() as db:
        known = _known(db, messages)
        fresh: list[dict[str, object]] = []
        letters: list[DeadLetter] = []
        answers: list[Accepted] = []
        for each in messages:
            digest, name = sha256_hex(each.body), (each.partner, each.event_id)
            first = known.get(name)
            if first is not None and each.received_at - first.received_at < MEMORY:
                is_same = (first.kind, first.body_sha256) == (each.kind, digest)
                answers.append(Accepted(first.message_id, "duplicate" if is_same else "conflict"))
                if not is_same:
                    letters.append(_letter(each, digest, first))
                continue
            row = vars(each) | {
                "message_id": new_id("msg"),
                "body_sha256": digest,
                "repeat_no": 0 if first is None else first.repeat_no + 1,
            }
            fresh.append(row)
            known[name] = _Known(row["message_id"], each.kind, digest, row["repeat_no"], each.received_at)
            answers.append(Accepted(row["message_id"], "accepted"))
        if fresh:
            db.execute(insert(inbox), fresh)
        insert_ignoring(
            db, dead_letters, [vars(each) | {"dead_letter_id": each.dead_letter_id} for each in letters]
        )
    return answers


def unsettled(engine: Engine, partner: str, most: int, after_no: int = 0) -> list[Message]:
    """A partner's messages that nobody has settled, oldest first: so many at most, and no more than memory is for."""
    query = (
        select(*(inbox.c[name] for name in Message.__dataclass_fields__))
        .where(inbox.c.partner == partner, inbox.c.settled_at.is_(None), inbox.c.message_no > after_no)
        .order_by(inbox.c.message_no)
        .limit(most)
    )
    found: list[Message] = []
    size = 0
    with reading(engine) as db:
        for row in db.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}).mappings():
            found.append(Message(**row))
            size += len(row["body"])
            if size >= MOST_BYTES:
                break
    return found


def waiting(engine: Engine) -> dict[str, int]:
    """How many messages of each partner are not settled; partners without any are left out."""
    query = (
        select(inbox.c.partner, func.count().label("waiting"))
        .where(inbox.c.settled_at.is_(None))
        .group_by(inbox.c.partner)
    )
    with reading(engine) as db:
        return {row.partner: row.waiting for row in db.execute(query)}


def settle(engine: Engine, run_id: str, outcomes: Iterable[Settled], now: datetime) -> None:
    """Note what became of messages; one that was settled before keeps what was noted first."""
    noted = [
        {f"its_{name}": value for name, value in vars(each).items()} | {"its_shipments": list(each.shipments)}
        for each in outcomes
    ]
    if not noted:
        return
    its: dict[str, Any] = {name: bindparam(f"its_{name}") for name in Settled.__dataclass_fields__}
    where = (inbox.c.message_no == its.pop("message_no"), inbox.c.settled_at.is_(None))
    with engine.begin() as db:
        db.execute(update(inbox).where(*where).values(**its, run_id=run_id, settled_at=now), noted)


@dataclass(frozen=True)
class _Known:
    message_id: str
    kind: str
    body_sha256: str
    repeat_no: int
    received_at: datetime


def _known(db: Connection, messages: Sequence[Incoming]) -> dict[tuple[str, str], _Known]:
    """The newest message of each id that is asked about."""
    names = list(dict.fromkeys((each.partner, each.event_id) for each in messages))
    found: dict[tuple[str, str], _Known] = {}
    for start in range(0, len(names), _IDS_AT_ONCE):
        some = names[start : start + _IDS_AT_ONCE]
        query = (
            select(inbox)
            .with_only_columns(
                inbox.c.partner, inbox.c.event_id, *(inbox.c[name] for name in _Known.__dataclass_fields__)
            )
            .where(tuple_(inbox.c.partner, inbox.c.event_id).in_(some))
            .order_by(inbox.c.repeat_no)
        )
        for row in db.execute(query).mappings():
            found[row["partner"], row["event_id"]] = _of(row)
    return found


def _of(row: RowMapping) -> _Known:
    return _Known(**{name: row[name] for name in _Known.__dataclass_fields__})


def _letter(message: Incoming, digest: str, first: _Known) -> DeadLetter:
    return DeadLetter(
        connection=message.partner,
        kind=LETTER_KIND,
        resource=message.kind,
        source_id=message.event_id,
        order_ref=None,
        shipment_ref=None,
        reason=CONFLICT,
        detail=f"the id came before with another body, as message {first.message_id}",
        raw=message.body,
        raw_sha256=digest,
        trace_id=message.trace_id,
        run_id=first.message_id,
        status="open",
        received_at=message.received_at,
    )
