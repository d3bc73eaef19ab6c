"""How many retries a push may make: so that an ERP in trouble gets little more than what is new.

Belongs here: counting. What is a retry, and what becomes of one that has to wait, is ``activation.push``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Lock

_SHARE = 0.1
_AT_LEAST = 10.0
_REFILL_S = 60.0


class RetryBudget:
    """Ten retries a minute, a tenth of one more for each first attempt, and one that posted is given back.

    So a queue that has waited for the ERP to come back drains as fast as it posts, and one that does not post slows
    down. ``now`` is the machine's clock.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now, self._since = now, now()
        self._left, self._lock = _AT_LEAST, Lock()

    @property
    def left(self) -> int:
        """Retries that may be made now."""
        with self._lock:
            self._refill()
            return int(self._left)

    def spend(self, many: int = 1) -> None:
        """So many retries are made."""
        with self._lock:
            self._left -= many

    def note(self, *, first: bool, posted: bool) -> None:
        """How an attempt ended: ``first`` for one of a row that was not sent before."""
        with self._lock:
            self._left += _SHARE if first else float(posted)

    def _refill(self) -> None:
        passed, self._since = (self._now() - self._since).total_seconds(), self._now()
        if self._left < _AT_LEAST:
            self._left = min(_AT_LEAST, self._left + passed * _AT_LEAST / _REFILL_S)
