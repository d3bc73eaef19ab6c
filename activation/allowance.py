"""This push's share of what a destination allows to all pushers together: how many attempts at a time, and how many a minute.

Belongs here: dividing. Who pushes beside us is ``state.pushers``; how a share is used is ``push`` and ``wave``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import Connection as Db
from sqlalchemy import Engine

from activation.books import LEASE_S
from activation.worker import is_gone
from core.connections import Connection
from state import allowances, pushers
from state.pushers import Pusher

BEGINS_WITHIN_S = LEASE_S / 2
"""What is leased begins within this time: what waits for its turn must not be taken for abandoned."""
_UNHEARD = timedelta(seconds=2 * LEASE_S)
"""So long a share is kept for a pusher that is not heard of: an attempt that began at the last moment has ended by then."""
TURNS = 64
"""Rows that are taken at once for each that is sent at a time."""
_RESERVED_S = 10.0
"""How long one pusher may keep the turns of a destination that declares a rate."""
_UNDECIDED = {"operations", "go_live_at"}
"""What says which invoices there are, and nothing of how they are sent."""


class Allowance:
    """Of one worker at one destination. ``now`` is the machine's clock."""

    def __init__(
        self, engine: Engine, connection: Connection, worker: str, now: Callable[[], datetime]
    ) -> None:
        declared = connection.destination
        self._engine, self._now = engine, now
        self._me = Pusher(worker, connection.connection, settings_of(connection))
        self._heard_at: datetime | None = None
        self._apart_s = 60.0 / declared.max_per_minute if declared and declared.max_per_minute else 0.0
        self.at_a_time = 0
        """How many attempts this push may have under way."""
        self.is_short = False
        """Whether rows were due and the others left nothing of the allowance."""
        self.delay_s = 0.0
        """Seconds until the first of the rows that were taken may begin."""

    def stay(self) -> None:
        """Be one of the pushers, before anything is looked up or sent. ConfigurationError when another one goes by other
        settings."""
        if self._heard_at is None or self._now() >= self._heard_at + timedelta(seconds=LEASE_S):
            with self._engine.begin() as db:
                self._enter(db)

    def leave(self, db: Db) -> None:
        """Give the share back, inside the caller's transaction."""
        pushers.leave(db, self._me)
        self._heard_at, self.at_a_time = None, 0

    def take(self, db: Db, due: int, together: int) -> int:
        """How many of the ``due`` rows this push may begin now, inside the transaction that leases them; ``together`` is how
        many all pushers may have under way."""
        others = self._enter(db)
        share = max(1, together // (len(others) + 1))
        at_a_time = max(0, min(due, share, together - sum(others.values())))
        rows = self._turns(db, min(due, at_a_time * TURNS)) if at_a_time else 0
        self.at_a_time = min(at_a_time, rows)
        self.is_short = bool(due and not rows)
        pushers.set_at_a_time(db, self._me, self.at_a_time)
        return rows

    def rest(self) -> None:
        """Nothing is under way: the others may have all of it."""
        if self.at_a_time:
            with self._engine.begin() as db:
                pushers.set_at_a_time(db, self._me, 0)
            self.at_a_time = 0

    def _enter(self, db: Db) -> dict[str, int]:
        now = self._now()
        others = pushers.enter(db, self._me, now, now + _UNHEARD, is_gone)
        self._heard_at = now
        return others

    def _turns(self, db: Db, rows: int) -> int:
        """How many of the rows get a turn, one every so many seconds; their turns are nobody else's then."""
        self.delay_s = 0.0
        if not self._apart_s:
            return rows
        now = self._now()
        first = max(now, allowances.next_turn(db, self._me.destination) or now)
        if first > now + timedelta(seconds=BEGINS_WITHIN_S):
            return 0
        rows = min(rows, max(1, int(_RESERVED_S / self._apart_s)))
        allowances.keep_next_turn(db, self._me.destination, first + timedelta(seconds=rows * self._apart_s))
        self.delay_s = (first - now).total_seconds()
        return rows


def settings_of(connection: Connection) -> dict[str, Any]:
    """What decides how a push treats its destination. Secrets are no part of it, nor what an address may hold of them."""
    url = httpx.URL(connection.base_url or "")
    address = str(url.copy_with(userinfo=b"", query=None, fragment=None))
    declared = connection.destination.model_dump(mode="json") if connection.destination else {}
    decides = {name: value for name, value in declared.items() if name not in _UNDECIDED}
    return {"adapter": connection.adapter, "base_url": address, **decides}
