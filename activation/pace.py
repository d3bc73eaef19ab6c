"""How often attempts begin within the turns that this push has at a destination that declares a rate: evenly.

Belongs here: waiting. Which turns are this push's is ``allowance``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock


class Pace:
    """Lets one attempt begin every ``60 / per_minute`` seconds; without a rate it never waits."""

    def __init__(
        self,
        per_minute: int | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._apart_s = 60.0 / per_minute if per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._next, self._lock = clock(), Lock()

    @property
    def is_declared(self) -> bool:
        """Whether attempts begin one by one, each in its turn."""
        return self._apart_s > 0

    def begin_in(self, seconds: float) -> None:
        """The next attempt begins no sooner than so."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)

    def wait(self) -> None:
        """Return when the next attempt may begin; attempts of several threads take their turns."""
        if not self.is_declared:
            return
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._apart_s
        if turn > now:
            self._sleep(turn - now)
