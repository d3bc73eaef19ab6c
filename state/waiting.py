"""Rows of the outbox that wait for another try: made ready, or given up, many in one statement.

Belongs here: moving all that is due, a part at a time, so that other writers come in between. When and how many is
the push's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, or_, select, update

from state import ledger
from state.ledger import Event
from state.outbox_moves import ACTOR
from state.tables import outbox

_PART = 25_000
"""Rows moved in one transaction: others wait for it a second at most."""


def make_ready(engine: Engine, destination: str, now: datetime, most: int) -> int:
    """Make up to ``most`` rows whose retry is due READY, oldest first; how many there were."""
    return _move_due(engine, destination, now, "READY", most)


def give_up(engine: Engine, destination: str, now: datetime, enqueued_before: datetime) -> int:
    """Make the rows whose retry is due and that were enqueued before an instant HELD; how many there were."""
    return _move_due(engine, destination, now, "HELD", None, outbox.c.enqueued_at < enqueued_before)


def _move_due(
    engine: Engine,
    destination: str,
    now: datetime,
    state: str,
    most: int | None,
    *conditions: ColumnElement[bool],
) -> int:
    due = and_(
        outbox.c.destination == destination,
        outbox.c.state == "RETRY_WAIT",
        or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now),
        *conditions,
    )
    moved, last = 0, 0
    while most is None or moved < most:
        part = _PART if most is None else min(_PART, most - moved)
        with engine.begin() as db:
            query = select(outbox.c.outbox_id, outbox.c.idempotency_key).where(due, outbox.c.outbox_id > last)
            found = db.execute(query.order_by(outbox.c.outbox_id).limit(part)).all()
            if not found:
                break
            # The transaction holds the store's write lock: these are the very rows that were found.
            within = outbox.c.outbox_id.between(found[0].outbox_id, found[-1].outbox_id)
            _move(db, and_(due, within), state, now, [row.idempotency_key for row in found])
        moved, last = moved + len(found), found[-1].outbox_id
    return moved


def _move(db: Connection, which: Any, state: str, now: datetime, keys: list[str]) -> None:
    db.execute(update(outbox).where(which).values(state=state, updated_at=now, not_before=None))
    told = {"from": "RETRY_WAIT", "not_before": None}
    ledger.append_all(db, (Event(state.lower(), ACTOR, key, told) for key in keys))
