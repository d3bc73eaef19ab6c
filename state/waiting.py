"""Rows of the outbox that wait for another try: made ready, or given up, many in one statement.

Belongs here: moving all that waits, a part at a time, so that other writers come in between. When and how many is
the push's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, exists, or_, select, update

from state import ledger
from state.ledger import Event
from state.outbox_moves import ACTOR
from state.tables import outbox, push_attempts
from state.tables_of_people import outbox_proposals
from state.transitions import GIVEN_UP

_PART = 25_000
"""Rows moved in one transaction: others wait for it a second at most."""


def make_ready(engine: Engine, destination: str, now: datetime, most: int) -> int:
    """Make up to ``most`` rows whose retry is due READY, oldest first; how many there were."""
    is_due = or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now)
    return _move_all(engine, destination, now, "READY", most, is_due)


def give_up(engine: Engine, destination: str, now: datetime, before: datetime) -> int:
    """Make the rows HELD, due or not, that have been tried since before an instant; how many there were.

    What was given up since by the push or taken up again by people begins anew; how long a row lay before its first
    attempt does not count.
    """
    # A row is tried after it was enqueued: of most rows nothing else is asked.
    is_old = and_(outbox.c.enqueued_at < before, _tried_since(before), ~_given_back_since(before))
    return _move_all(engine, destination, now, "HELD", None, is_old)


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


def _move_all(
    engine: Engine,
    destination: str,
    now: datetime,
    state: str,
    most: int | None,
    condition: ColumnElement[bool],
) -> int:
    waits = and_(outbox.c.destination == destination, outbox.c.state == "RETRY_WAIT", condition)
    moved, last = 0, 0
    while most is None or moved < most:
        part = _PART if most is None else min(_PART, most - moved)
        with engine.begin() as db:
            query = select(outbox.c.outbox_id, outbox.c.idempotency_key).where(
                waits, outbox.c.outbox_id > last
            )
            found = db.execute(query.order_by(outbox.c.outbox_id).limit(part)).all()
            if not found:
                break
            # The transaction holds the store's write lock: these are the very rows that were found.
            within = outbox.c.outbox_id.between(found[0].outbox_id, found[-1].outbox_id)
            _move(db, and_(waits, within), state, now, [row.idempotency_key for row in found])
        moved, last = moved + len(found), found[-1].outbox_id
    return moved


def _move(db: Connection, which: Any, state: str, now: datetime, keys: list[str]) -> None:
    db.execute(update(outbox).where(which).values(state=state, updated_at=now, not_before=None))
    told = {"from": "RETRY_WAIT", "not_before": None}
    ledger.append_all(db, (Event(state.lower(), ACTOR, key, told) for key in keys))
