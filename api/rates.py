"""How often one address and one key may ask: counted over a moving minute, in this process.

Belongs here: counting. Behind several processes each counts for itself. A library was here before: it started a thread for
each request that it counted, and looked at everything it had counted a hundred times a second.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from api.problems import Problem
from core.settings import Settings

_MINUTE_S = 60.0


@dataclass(frozen=True)
class Rates:
    """Requests a minute: by address before anything is looked at, by key, and of keys or signatures that were none, or
    of unsigned bodies that did not come in time."""

    address: int
    key: int
    failures: int = 30

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """What the settings say."""
        return cls(settings.api_address_rate, settings.api_key_rate)


class Limiter:
    """Counts what comes, for one event loop. ``now`` is in seconds and never goes back."""

    def __init__(self, rates: Rates, now: Callable[[], float] = time.monotonic) -> None:
        self._rates, self._now = rates, now
        self._windows: dict[tuple[str, str], deque[float]] = {}
        self._swept_at = now()

    def address(self, address: str) -> None:
        """Count a request of an address; Problem 429 when it comes too often or has failed too often."""
        self._sweep()
        self._refuse(self._window("failures", address), self._rates.failures)
        self._hit("address", address, self._rates.address)

    def key(self, name: str) -> None:
        """Count a request of a key, or of a webhook's partner."""
        self._hit("key", name, self._rates.key)

    def failed(self, address: str) -> None:
        """Count a key or a signature that was none, or an unsigned body that did not come in time."""
        self._window("failures", address).append(self._now())

    def _hit(self, what: str, name: str, most: int) -> None:
        window = self._window(what, name)
        self._refuse(window, most)
        window.append(self._now())

    def _window(self, what: str, name: str) -> deque[float]:
        """When what came in the last minute came, oldest first."""
        window, since = self._windows.setdefault((what, name), deque()), self._now() - _MINUTE_S
        while window and window[0] <= since:
            window.popleft()
        return window

    def _refuse(self, window: deque[float], most: int) -> None:
        if len(window) < most:
            return
        wait = str(max(1, math.ceil(window[-most] + _MINUTE_S - self._now())))
        raise Problem(429, "Too many requests.", f"Send it again in {wait} s.", headers={"Retry-After": wait})

    def _sweep(self) -> None:
        """Once a minute forget who has not come since."""
        now = self._now()
        if now - self._swept_at >= _MINUTE_S:
            self._swept_at = now
            self._windows = {
                name: window
                for name, window in self._windows.items()
                if window and window[-1] > now - _MINUTE_S
            }
