"""Rows of the outbox that wait for another try: made ready, or given up, many in one statement.

Belongs here: moving all that waits, a part at a time, so that other writers come in between. When and how many is
the push's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, exists, or_, select, update

from state import ledger
from state.engine import reading
from state.ledger import Event
from state.outbox_moves import ACTOR
from state.tables import outbox, push_attempts
from state.tables_of_people import outbox_proposals
from state.transitions import GIVEN_UP

_PART = 25_000
"""Rows moved in one transaction: others wait for it a second at most."""


def is_due(engine: Engine, destination: str, now: datetime) -> bool:
    """Whether the retry of any row is due."""
    with reading(engine) as db:
        return db.scalar(select(outbox.c.outbox_id).where(_due(destination, now)).limit(1)) is not None


def make_ready(db: Connection, destination: str, now: datetime, most: int) -> int:
    """Make up to ``most`` rows whose retry is due READY, oldest first, inside the caller's transaction; how many there
    were, and never more than a part of very many."""
    return len(_move_part(db, _due(destination, now), now, "READY", min(_PART, most)))


def _due(destination: str, now: datetime) -> ColumnElement[bool]:
    is_due = or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now)
    return and_(outbox.c.destination == destination, outbox.c.state == "RETRY_WAIT", is_due)


def give_up(engine: Engine, destination: str, now: datetime, before: datetime) -> int:
    """Make the rows HELD, due or not, that have been tried since before an instant; how many there were.

    What was given up since by the push or taken up again by people begins anew; how long a row lay before its first
    attempt does not count.
    """
    # A row is tried after it was enqueued: of most rows nothing else is asked.
    is_old = and_(outbox.c.enqueued_at < before, _tried_since(before), ~_given_back_since(before))
    waits = and_(outbox.c.destination == destination, outbox.c.state == "RETRY_WAIT", is_old)
    moved, last = 0, 0
    while True:
        with engine.begin() as db:
            found = _move_part(db, and_(waits, outbox.c.outbox_id > last), now, "HELD", _PART)
        if not found:
            return moved
        moved, last = moved + len(found), found[-1]


def _tried_since(before: datetime) -> ColumnElement[bool]:
    """Whether an attempt began before an instant and none that followed it, nor itself, ended with the row given up."""
    later = push_attempts.alias()
    ended = exists().where(
        later.c.idempotency_key == push_attempts.c.idempotency_key,
        later.c.attempt_no >= push_attempts.c.attempt_no,
        later.c.outcome.in_(GIVEN_UP),
    )
    return exists().where(
        push_attempts.c.idempotency_key == outbox.c.idempotency_key,
        push_attempts.c.started_at < before,
        ~ended,
    )


def _given_back_since(before: datetime) -> ColumnElement[bool]:
    return exists().where(
        outbox_proposals.c.idempotency_key == outbox.c.idempotency_key,
        outbox_proposals.c.confirmed_at >= before,
    )


def _move_part(db: Connection, which: ColumnElement[bool], now: datetime, state: str, most: int) -> list[int]:
    """Move up to ``most`` of the rows, oldest first; which they were."""
    query = select(outbox.c.outbox_id, outbox.c.idempotency_key).where(which)
    found = db.execute(query.order_by(outbox.c.outbox_id).limit(most)).all()
    if found:
        # The transaction holds the store's write lock: these are the very rows that were found.
        within = and_(which, outbox.c.outbox_id.between(found[0].outbox_id, found[-1].outbox_id))
        _move(db, within, state, now, [row.idempotency_key for row in found])
    return [row.outbox_id for row in found]


def _move(db: Connection, which: Any, state: str, now: datetime, keys: list[str]) -> None:
    db.execute(update(outbox).where(which).values(state=state, updated_at=now, not_before=None))
    told = {"from": "RETRY_WAIT", "not_before": None}
    ledger.append_all(db, (Event(state.lower(), ACTOR, key, told) for key in keys))
