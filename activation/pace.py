"""How often attempts may begin at a destination that declares a rate: evenly, so that it is never met at once.

Belongs here: waiting. How many rows a push takes at a time is its own business; one that waits must not outlive its lease.
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

    def wait(self) -> None:
        """Return when the next attempt may begin; attempts of several threads take their turns."""
        if not self._apart_s:
            return
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._apart_s
        if turn > now:
            self._sleep(turn - now)

    def most_within(self, seconds: float, many: int) -> int:
        """Of ``many`` attempts those that can begin within so many seconds; at least one."""
        return many if not self._apart_s else max(1, min(many, int(seconds / self._apart_s)))
