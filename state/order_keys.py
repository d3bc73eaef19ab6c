"""Turns: effects about one document of a foreign system go one after the other, those about others do not wait for them.

An order key names what several effects write about there: a delivered shipment, an exception. What its flow ``follows`` has to be
done under the same key at the same destination first, and of a document that is kept up every earlier revision that is there; an
effect without an order key waits for nothing.

Belongs here: whose turn it is, and what somebody waits for. Who gets a key says the push, by what the destination takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, and_, bindparam, exists, or_, select

from core.flows import FLOWS, KEPT_UP
from state.engine import reading
from state.outbox_moves import few
from state.outbox_rows import OutboxEntry, entries
from state.prepared import Prepared
from state.tables import outbox
from state.transitions import GIVEN_UP

FOLLOWS: Final = {each.operation: each.follows for each in FLOWS if each.follows is not None}
_TAKE_TURNS: Final = frozenset({*FOLLOWS, *KEPT_UP})
OVER: Final = ("ACKED", "RECONCILED", "CANCELLED")
"""States that let the next one go: it arrived, or two people decided that it never will."""


@cache
def in_turn() -> ColumnElement[bool]:
    """Whether a row waits for nothing under its order key."""
    earlier = outbox.alias()
    same = (earlier.c.destination == outbox.c.destination, earlier.c.order_key == outbox.c.order_key)
    waits = [
        and_(
            outbox.c.operation == operation,
            ~exists().where(*same, earlier.c.operation == follows, earlier.c.state.in_(OVER)),
        )
        for operation, follows in FOLLOWS.items()
    ]
    waits += [
        and_(
            outbox.c.operation == operation,
            exists().where(
                *same,
                earlier.c.operation == operation,
                earlier.c.revision < outbox.c.revision,
                earlier.c.state.not_in(OVER),
            ),
        )
        for operation in sorted(KEPT_UP)
    ]
    return or_(outbox.c.order_key.is_(None), ~or_(*waits))


def out_of_turn(db: Connection, rows: Iterable[OutboxEntry]) -> set[str]:
    """The keys of those rows whose turn it is not, inside the caller's transaction."""
    keys = [each.idempotency_key for each in rows if each.order_key and each.operation in _TAKE_TURNS]
    return {key for some in few(keys) for (key,) in _early().rows(db, {"keys": some})}


@cache
def _early() -> Prepared:
    keys = outbox.c.idempotency_key.in_(bindparam("keys", expanding=True))
    return Prepared(select(outbox.c.idempotency_key).where(keys, ~in_turn()))


@dataclass(frozen=True)
class Wait:
    """What a row waits for, in words; ``is_stuck``: until people have decided about that."""

    told: str
    is_stuck: bool


def waits_for(engine: Engine, rows: Collection[OutboxEntry]) -> dict[str, Wait]:
    """Key → what each of these rows waits for; those whose turn it is are left out."""
    with reading(engine) as db:
        early = out_of_turn(db, rows)
        waiting = [each for each in rows if each.idempotency_key in early]
        there = _under_their_keys(db, waiting)
    return {each.idempotency_key: _wait(each, _before(each, there[_place(each)])) for each in waiting}


def _under_their_keys(
    db: Connection, waiting: Iterable[OutboxEntry]
) -> defaultdict[tuple[str, str | None], list[OutboxEntry]]:
    """Destination and order key → what others may wait for there, oldest first."""
    keys = {each.order_key for each in waiting if each.order_key}
    operations = {*FOLLOWS.values(), *KEPT_UP}
    found: defaultdict[tuple[str, str | None], list[OutboxEntry]] = defaultdict(list)
    for some in few(sorted(keys)):
        for entry in entries(db, outbox.c.order_key.in_(some), outbox.c.operation.in_(operations)):
            found[_place(entry)].append(entry)
    return found


def _before(row: OutboxEntry, there: Iterable[OutboxEntry]) -> OutboxEntry | None:
    """What has to be done before a row that waits; None when it does not lie in the outbox."""
    if row.operation in KEPT_UP:
        earlier = (each for each in there if each.operation == row.operation and each.revision < row.revision)
        return next((each for each in earlier if each.state not in OVER), None)
    return next((each for each in there if each.operation == FOLLOWS[row.operation]), None)


def _place(row: OutboxEntry) -> tuple[str, str | None]:
    return row.destination, row.order_key


def _wait(row: OutboxEntry, before: OutboxEntry | None) -> Wait:
    what = f"waits for the {FOLLOWS.get(row.operation, row.operation)} of {row.shipment_no}, which"
    if before is None:
        return Wait(f"{what} was not released yet", is_stuck=False)
    why = f": {before.last_error}" if before.last_error else ""
    return Wait(f"{what} is {before.state}{why}", before.state in GIVEN_UP)
