"""How often one address and one key may ask: counted over a moving minute, in this process.

Belongs here: counting. Behind several processes each counts for itself.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Self

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.problems import Problem
from core.settings import Settings


@dataclass(frozen=True)
class Rates:
    """Requests a minute: by address before anything is looked at, by key, and of keys or signatures that were none."""

    address: RateLimitItem
    key: RateLimitItem
    failures: RateLimitItem = field(default_factory=lambda: RateLimitItemPerMinute(30))

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """What the settings say."""
        return cls(
            RateLimitItemPerMinute(settings.api_address_rate), RateLimitItemPerMinute(settings.api_key_rate)
        )


class Limiter:
    """Counts what comes."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def address(self, address: str) -> None:
        """Count a request of an address; Problem 429 when it comes too often or has failed too often."""
        if not self._windows.test(self._rates.failures, "failures", address):
            raise self._too_often(self._rates.failures, "failures", address)
        self._hit(self._rates.address, "address", address)

    def key(self, name: str) -> None:
        """Count a request of a key, or of a webhook's partner."""
        self._hit(self._rates.key, "key", name)

    def failed(self, address: str) -> None:
        """Count a key or a signature that was none."""
        self._windows.hit(self._rates.failures, "failures", address)

    def _hit(self, rate: RateLimitItem, *name: str) -> None:
        if not self._windows.hit(rate, *name):
            raise self._too_often(rate, *name)

    def _too_often(self, rate: RateLimitItem, *name: str) -> Problem:
        again = self._windows.get_window_stats(rate, *name).reset_time - time.time()
        wait = str(max(1, math.ceil(again)))
        return Problem(
            429, "Too many requests.", f"Send it again in {wait} s.", headers={"Retry-After": wait}
        )
