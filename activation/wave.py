"""Sending what one worker has leased: so many at a time, each thread taking the next row when it is done with one.

Belongs here: the threads, and what breaker and retry budget hear of each ending. Which rows are leased, and when, is ``push``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from activation.attempt import Attempt, Found, Submitted
from activation.breaker import Breaker
from activation.pace import Pace
from activation.retry_budget import RetryBudget
from core.flows import KEPT_UP
from state.outbox_moves import LostToAnother
from state.outbox_rows import OutboxRow

_AHEAD = 32
"""Rows that are looked up in one call: their keys are a line of 2 kB."""
_READ_TOGETHER = 16
"""Invoices that are read back in one call. A crash leaves so many of each thread to be looked up."""
_UNREAD = timedelta(seconds=2)
"""How long an invoice waits for others to be read back with: little of its lease, however slow the destination is."""


@dataclass(frozen=True)
class Sender:
    """Sends through one attempt object, ``at_a_time`` rows at once."""

    attempt: Attempt
    breaker: Breaker
    retries: RetryBudget
    at_a_time: int
    pace: Pace
    until: datetime
    """Nothing begins after this instant: what is leased may be another's soon."""

    def send_all(self, leased: Sequence[OutboxRow], pool: ThreadPoolExecutor) -> None:
        """Send every row once; all endings are on disk when this returns. Once the breaker opens, or the time is over,
        nothing more begins."""
        parts = [leased[start : start + _AHEAD] for start in range(0, len(leased), _AHEAD)]
        ahead = {
            key: found for part in pool.map(self.attempt.look_ahead, parts) for key, found in part.items()
        }
        left = iter(leased)
        list(pool.map(lambda _: self._work(left, ahead), range(self.at_a_time)))

    def _work(self, left: Iterator[OutboxRow], ahead: Found) -> None:
        submitted: list[Submitted] = []
        try:
            for row in left:
                submitted += self._send(row, ahead)
                if submitted and self._is_time(submitted):
                    self._read_back(submitted)
                    submitted = []
            self._read_back(submitted)
            self.attempt.books.flush()
        finally:
            # What ended this one early keeps the others from beginning more.
            deque(left, maxlen=0)

    def _is_time(self, submitted: Sequence[Submitted]) -> bool:
        waited = self.attempt.now() - submitted[0].row.updated_at
        return len(submitted) >= _READ_TOGETHER or waited >= _UNREAD

    def _send(self, row: OutboxRow, ahead: Found) -> list[Submitted]:
        """Send a row; what is left to be read back of it."""
        self.pace.wait()
        if self.breaker.is_open or self.attempt.now() >= self.until:
            return []
        try:
            ending = self.attempt.send(row, ahead)
        except LostToAnother:
            return []
        if isinstance(ending, Submitted):
            return [ending]
        self._note(row, ending, first=row.attempt_count == 0)
        return []

    def _read_back(self, submitted: Sequence[Submitted]) -> None:
        for each, state in zip(submitted, self.attempt.read_back(submitted), strict=True):
            self._note(each.row, state, first=each.row.attempt_count == 1)

    def _note(self, row: OutboxRow, state: str, *, first: bool) -> None:
        # READY: a kill switch was pulled, which says nothing of the other side.
        ok = state in {"ACKED", "BLOCKED", "DEAD", "CONFLICT", "READY"}
        if row.operation not in KEPT_UP:
            # What is wrong with those documents alone is to hold up nothing that is billed.
            self.breaker.note(ok=ok, posted=state == "ACKED")
        self.retries.note(first=first, posted=state == "ACKED")
