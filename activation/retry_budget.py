"""How many retries all pushes to a destination may make: so that an ERP in trouble gets little more than what is new.

Belongs here: counting. What is a retry, and what becomes of one that has to wait, is ``activation.push``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Lock

from sqlalchemy import Connection as Db
from sqlalchemy import Engine

from state import allowances
from state.allowances import Retries
from state.engine import reading

_SHARE = 0.1
_AT_LEAST = 10.0
_REFILL_S = 60.0


class RetryBudget:
    """Ten retries a minute, a tenth of one more for each first attempt, and one that posted is given back.

    So a queue that has waited for the ERP to come back drains as fast as it posts, and one that does not post slows
    down. What attempts bring about is added with the next retry; more than ten are kept for a minute. ``now`` is the
    machine's clock.
    """

    def __init__(self, engine: Engine, destination: str, now: Callable[[], datetime]) -> None:
        self._engine, self._destination, self._now = engine, destination, now
        self._earned, self._lock = 0.0, Lock()

    @property
    def left(self) -> int:
        """Retries that may be made now."""
        with reading(self._engine) as db:
            return int(self._kept(db) + self._earned)

    def use(self, retry: Callable[[Db, int], int]) -> None:
        """Let ``retry`` make as many as are left, in one transaction with counting those that it made."""
        with self._engine.begin() as db:
            left = self._kept(db) + self._taken()
            allowances.keep_retries(
                db, self._destination, Retries(left - retry(db, max(0, int(left))), self._now())
            )

    def keep(self, db: Db) -> None:
        """Let the next push have what this one brought about, inside the caller's transaction."""
        if self._earned:
            allowances.keep_retries(
                db, self._destination, Retries(self._kept(db) + self._taken(), self._now())
            )

    def note(self, *, first: bool, posted: bool) -> None:
        """How an attempt ended: ``first`` for one of a row that was not sent before."""
        with self._lock:
            self._earned += _SHARE if first else float(posted)

    def _taken(self) -> float:
        with self._lock:
            earned, self._earned = self._earned, 0.0
        return earned

    def _kept(self, db: Db) -> float:
        """What is left by now of what was written down."""
        known = allowances.retries(db, self._destination)
        if known is None:
            return _AT_LEAST
        passed_s = (self._now() - known.at).total_seconds()
        if known.left < _AT_LEAST:
            return min(_AT_LEAST, known.left + passed_s * _AT_LEAST / _REFILL_S)
        return known.left if passed_s < _REFILL_S else _AT_LEAST
