"""Leases of the outbox's rows: who works on one, until when, and under which fencing token.

Belongs here: taking rows in their turn, letting go of them, and whether one is still held. What may be done with a row that was
taken is ``outbox``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, or_, select, update

from state import kill_switch, order_keys, outbox_rows
from state.engine import reading
from state.outbox_rows import OutboxEntry, OutboxRow
from state.tables import outbox


def lease(
    engine: Engine,
    destination: str,
    worker: str,
    now: datetime,
    until: datetime,
    limit: int,
    allowed: Callable[[Connection, int], int] = lambda _, due: due,
) -> list[OutboxRow]:
    """Take up to ``limit`` due rows, oldest first, for one worker; each gets a new fencing token.

    None of a destination or company for which a kill switch is pulled, none before its turn (``order_keys``), and of
    those that are due as many as ``allowed`` says inside the same transaction.
    """
    due = or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now)
    free = or_(outbox.c.leased_until.is_(None), outbox.c.leased_until <= now)
    query = (
        select(outbox.c.idempotency_key)
        .where(
            outbox.c.destination == destination, outbox.c.state == "READY", due, free, order_keys.in_turn()
        )
        .order_by(outbox.c.outbox_id)
        .limit(limit)
    )
    with engine.begin() as db:
        if kill_switch.stops(db, destination):
            return []
        if stopped := kill_switch.stopped_companies(db):
            query = query.where(outbox.c.company.not_in(stopped))
        keys = list(db.scalars(query))
        keys = keys[: allowed(db, len(keys))]
        db.execute(
            update(outbox)
            .where(outbox.c.idempotency_key.in_(keys))
            .values(leased_by=worker, leased_until=until, fencing_token=outbox.c.fencing_token + 1)
        )
        return outbox_rows.rows(db, outbox.c.idempotency_key.in_(keys))


def give_back(db: Connection, row: OutboxRow) -> None:
    """Let go of a row that was taken and not begun, inside the caller's transaction."""
    db.execute(
        update(outbox)
        .where(
            outbox.c.idempotency_key == row.idempotency_key,
            outbox.c.fencing_token == row.fencing_token,
            outbox.c.state == "READY",
        )
        .values(leased_by=None, leased_until=None)
    )


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


def is_held(engine: Engine, row: OutboxEntry, now: datetime) -> bool:
    """Whether this worker still holds the row it began: asked once more before anything is created."""
    holding = select(outbox.c.outbox_id).where(
        outbox.c.idempotency_key == row.idempotency_key,
        outbox.c.state == "SENDING",
        outbox.c.fencing_token == row.fencing_token,
        outbox.c.leased_until > now,
    )
    with reading(engine) as db:
        return db.scalar(holding) is not None


def leased(engine: Engine, destination: str) -> list[OutboxEntry]:
    """What some worker has taken and not finished."""
    taken = (outbox.c.state.in_(("READY", "SENDING")), outbox.c.leased_by.is_not(None))
    with reading(engine) as db:
        return outbox_rows.entries(db, outbox.c.destination == destination, *taken)
