"""A circuit breaker: an ERP in trouble is not called a thousand times to hear the same.

Belongs here: when it opens, how it is tried again, when it closes. It outlives the push (``state.breakers``).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine

from state import breakers
from state.breakers import Trouble

OPENING_S, LONGEST_S = 30, 600
TO_POST = 5
"""So many invoices are posted one at a time before the destination counts as well."""
_WINDOW = timedelta(seconds=60)
_MIN_CALLS = 20
_FAILING = 0.5


class Breaker:
    """Opens for 30 s once half of at least 20 attempts within a minute failed, and for twice as long each time that
    a probe or one of the five invoices after it fails, up to 10 minutes. ``now`` is the machine's clock."""

    def __init__(self, engine: Engine, destination: str, now: Callable[[], datetime]) -> None:
        self._engine, self._destination, self._now = engine, destination, now
        self._outcomes: deque[tuple[datetime, bool]] = deque()
        self._failed = 0
        self._lock = threading.Lock()
        self._trouble = breakers.of(engine, destination)

    def at_a_time(self, many: int, probe: Callable[[], bool]) -> int:
        """How many of ``many`` may be sent next: none while it is open or the probe fails, one after a good probe.

        ``probe`` asks the destination something that changes nothing, and says whether it answered.
        """
        with self._lock:
            self._trouble = breakers.of(self._engine, self._destination)
            if self._trouble is None:
                return many
            if self._is_open:
                return 0
            if not self._trouble.is_probed:
                if not probe():
                    self._open()
                    return 0
                self._keep(replace(self._trouble, is_probed=True))
            return min(many, 1)

    def note(self, *, ok: bool, posted: bool = False) -> None:
        """Remember how one attempt ended: with a definite answer, and with a posted invoice."""
        with self._lock:
            if self._trouble is None:
                self._outcomes.append((self._now(), ok))
                self._failed += not ok
                if self._is_failing():
                    self._open()
            elif self._is_open:
                return
            elif not ok:
                self._open()
            elif posted:
                self._one_more_posted(self._trouble)

    @property
    def is_open(self) -> bool:
        """Whether to stop sending."""
        with self._lock:
            return self._is_open

    def __str__(self) -> str:
        until = f" until {self._trouble.open_until:%Y-%m-%d %H:%M:%S} UTC" if self._trouble else ""
        return f"{self._destination} is in trouble, nothing is sent{until}. Remedy: none, a later push goes on by itself."

    @property
    def _is_open(self) -> bool:
        return self._trouble is not None and self._now() < self._trouble.open_until

    def _is_failing(self) -> bool:
        oldest = self._now() - _WINDOW
        while self._outcomes and self._outcomes[0][0] < oldest:
            self._failed -= not self._outcomes.popleft()[1]
        return len(self._outcomes) >= _MIN_CALLS and self._failed >= _FAILING * len(self._outcomes)

    def _open(self) -> None:
        opening = OPENING_S if self._trouble is None else min(LONGEST_S, self._trouble.opening_s * 2)
        self._outcomes.clear()
        self._failed = 0
        until = self._now() + timedelta(seconds=opening)
        self._keep(Trouble(self._destination, until, opening, TO_POST))

    def _one_more_posted(self, trouble: Trouble) -> None:
        if trouble.left_to_post > 1:
            self._keep(replace(trouble, left_to_post=trouble.left_to_post - 1))
            return
        breakers.forget(self._engine, self._destination)
        self._trouble = None

    def _keep(self, trouble: Trouble) -> None:
        breakers.keep(self._engine, trouble)
        self._trouble = trouble
