"""Sending what one worker has leased: so many at a time, each thread taking the next row when it is done with one.

Belongs here: the threads, and what breaker and retry budget hear of each ending. Which rows are leased, and when, is ``push``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from activation.attempt import Attempt, Found
from activation.breaker import Breaker
from activation.pace import Pace
from activation.retry_budget import RetryBudget
from state.outbox_moves import LostToAnother
from state.outbox_rows import OutboxRow

_AHEAD = 32
"""Rows that are looked up in one call: their keys are a line of 2 kB."""


@dataclass(frozen=True)
class Sender:
    """Sends through one attempt object, ``at_a_time`` rows at once."""

    attempt: Attempt
    breaker: Breaker
    retries: RetryBudget
    at_a_time: int
    pace: Pace

    def send_all(self, leased: Sequence[OutboxRow], pool: ThreadPoolExecutor) -> None:
        """Send every row once; all endings are on disk when this returns. Once the breaker opens nothing more begins."""
        parts = [leased[start : start + _AHEAD] for start in range(0, len(leased), _AHEAD)]
        ahead = {
            key: found for part in pool.map(self.attempt.look_ahead, parts) for key, found in part.items()
        }
        left = iter(leased)
        list(pool.map(lambda _: self._work(left, ahead), range(self.at_a_time)))

    def _work(self, left: Iterator[OutboxRow], ahead: Found) -> None:
        try:
            for row in left:
                self._send(row, ahead)
            self.attempt.books.flush()
        finally:
            # What ended this one early keeps the others from beginning more.
            deque(left, maxlen=0)

    def _send(self, row: OutboxRow, ahead: Found) -> None:
        self.pace.wait()
        if self.breaker.is_open:
            return
        try:
            state = self.attempt.send(row, ahead)
        except LostToAnother:
            return
        # READY: a kill switch was pulled, which says nothing of the other side.
        ok = state in {"ACKED", "BLOCKED", "DEAD", "CONFLICT", "READY"}
        self.breaker.note(ok=ok, posted=state == "ACKED")
        self.retries.note(first=row.attempt_count == 0, posted=state == "ACKED")
