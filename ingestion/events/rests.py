"""When what failed is asked for again: after a pause that doubles with each failure in a row.

Belongs here: counting and waiting, in memory. A process that begins anew asks at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

FIRST_S, LONGEST_S = 2.0, 600.0


@dataclass
class _Rest:
    failures: int
    until: float
    why: str


class Rests:
    """By name of what failed, a message or a partner. ``now`` is in seconds and never goes back."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._rests: dict[str, _Rest] = {}

    def failed(self, name: str, why: str, longest_s: float = LONGEST_S) -> None:
        """Leave it alone for a while, longer than the last time."""
        failures = self.failures(name) + 1
        pause = min(FIRST_S * 2.0 ** min(failures - 1, 16), longest_s)
        self._rests[name] = _Rest(failures, self._now() + pause, why)

    def over(self, name: str) -> None:
        """It went well, or is done with."""
        self._rests.pop(name, None)

    def why(self, name: str) -> str | None:
        """Why it is left alone now; None when it may be asked."""
        rest = self._rests.get(name)
        return rest.why if rest is not None and self._now() < rest.until else None

    def failures(self, name: str) -> int:
        """How often it failed in a row."""
        rest = self._rests.get(name)
        return 0 if rest is None else rest.failures
