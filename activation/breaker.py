"""A circuit breaker: an ERP in trouble is not called a thousand times to hear the same."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

_WINDOW_S = 60.0
_MIN_CALLS = 20
_FAILING = 0.5


class Breaker:
    """Open once half of at least 20 attempts within a minute failed; a push that finds it open stops."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._outcomes: deque[tuple[float, bool]] = deque()
        self._lock = threading.Lock()

    def note(self, *, ok: bool) -> None:
        """Remember how one attempt ended."""
        with self._lock:
            self._outcomes.append((self._clock(), ok))

    @property
    def is_open(self) -> bool:
        """Whether to stop sending."""
        with self._lock:
            oldest = self._clock() - _WINDOW_S
            while self._outcomes and self._outcomes[0][0] < oldest:
                self._outcomes.popleft()
            failed = sum(not ok for _, ok in self._outcomes)
            return len(self._outcomes) >= _MIN_CALLS and failed >= _FAILING * len(self._outcomes)
