"""Who pushes to a destination now, by which settings, and how many attempts each may have under way.

A pusher lives until it leaves, until its process has ended, or until it was not heard of for too long. All that live go by one
set of settings. Belongs here: the rows. What a pusher does with its share is ``activation.allowance``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from core.errors import ConfigurationError
from state import ledger
from state.outbox_moves import ACTOR
from state.tables_of_pushers import destinations, pushers

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Pusher:
    """One push to one destination, and what its connection file says of it. ``settings`` never hold a secret."""

    worker: str
    destination: str
    settings: Settings


def enter(
    db: Connection, me: Pusher, now: datetime, until: datetime, is_gone: Callable[[str], bool]
) -> dict[str, int]:
    """Be one of those that push, or stay it until ``until``; the others that live, and how many each sends at a time.

    ConfigurationError, with nothing written, when another lives and goes by other settings. When none does, these are the
    destination's from now on, which the ledger tells.
    """
    others = _others(db, me, now, is_gone)
    known = db.scalar(select(destinations.c.settings).where(destinations.c.destination == me.destination))
    if known != dict(me.settings):
        if known is not None and others:
            raise _refusal(me, known, sorted(others))
        _take(db, me, known)
    here = (pushers.c.worker == me.worker, pushers.c.destination == me.destination)
    if not db.execute(update(pushers).where(*here).values(lives_until=until)).rowcount:
        db.execute(
            insert(pushers).values(
                worker=me.worker, destination=me.destination, at_a_time=0, lives_until=until
            )
        )
    return others


def set_at_a_time(db: Connection, me: Pusher, at_a_time: int) -> None:
    """So many attempts of this pusher may be under way."""
    here = (pushers.c.worker == me.worker, pushers.c.destination == me.destination)
    db.execute(update(pushers).where(*here).values(at_a_time=at_a_time))


def leave(db: Connection, me: Pusher) -> None:
    """Nothing of this pusher is under way any more."""
    db.execute(delete(pushers).where(pushers.c.worker == me.worker, pushers.c.destination == me.destination))


def _others(db: Connection, me: Pusher, now: datetime, is_gone: Callable[[str], bool]) -> dict[str, int]:
    """Worker → attempts at a time, of the others that live; those that do not are forgotten."""
    read = db.execute(select(pushers).where(pushers.c.destination == me.destination)).all()
    others = [row for row in read if row.worker != me.worker]
    dead = [row.worker for row in others if row.lives_until <= now or is_gone(row.worker)]
    if dead:
        db.execute(delete(pushers).where(pushers.c.destination == me.destination, pushers.c.worker.in_(dead)))
    return {row.worker: row.at_a_time for row in others if row.worker not in dead}


def _take(db: Connection, me: Pusher, known: Settings | None) -> None:
    if known is None:
        db.execute(insert(destinations).values(destination=me.destination, settings=dict(me.settings)))
    else:
        here = destinations.c.destination == me.destination
        db.execute(update(destinations).where(here).values(settings=dict(me.settings)))
    changed = _differing(me.settings, known or {})
    told = {
        "from": None if known is None else {name: known.get(name) for name in changed},
        "to": {name: me.settings.get(name) for name in changed},
    }
    ledger.append(db, "destination_settings", ACTOR, me.destination, told)


def _differing(ours: Settings, theirs: Settings) -> list[str]:
    return sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))


def _refusal(me: Pusher, known: Settings, others: list[str]) -> ConfigurationError:
    differ = ", ".join(
        f"{name} is {me.settings.get(name)} here and {known.get(name)} there"
        for name in _differing(me.settings, known)
    )
    return ConfigurationError(
        f"Another push to {me.destination} is under way with other settings: {differ} ({', '.join(others)}).",
        remedy=f"Give both processes the same connection file of {me.destination}, or wait until that push has ended.",
    )
