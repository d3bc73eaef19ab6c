"""Sending what one worker has leased: so many at a time, each thread taking the next row when it is done with one.

Belongs here: the threads, which rows begin together, and what breaker and retry budget hear of each ending. Which rows are leased, and
when, is ``push``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from threading import Lock

from activation.attempt import Attempt, Begun, Found, Submitted
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
_QUICK = timedelta(seconds=1)
"""What takes less from its beginning to its end may begin with others: none of them waits long for its thread."""

Left = Iterator[tuple[OutboxRow, Future[Found]]]
"""Leased rows, each with the look that is taken at its part."""


@dataclass
class Sender:
    """Sends through one attempt object, ``at_a_time`` rows at once.

    While the destination is quick as many rows begin in one transaction as are sent at a time. At one that is slow, or declares a
    rate, each begins by itself, just before it is sent.
    """

    attempt: Attempt
    breaker: Breaker
    retries: RetryBudget
    at_a_time: int
    pace: Pace
    until: datetime
    """Nothing begins after this instant: what is leased may be another's soon."""
    _begun: deque[Begun] = field(default_factory=deque, init=False)
    _turn: Lock = field(default_factory=Lock, init=False)
    """Held by who takes the next row: the others wait for those that begin."""
    _is_quick: bool = field(default=False, init=False)

    def send_all(self, leased: Sequence[OutboxRow]) -> None:
        """Send every row once; all endings are on disk when this returns. Once the breaker opens, or the time is over,
        nothing more begins."""
        parts = [leased[start : start + _AHEAD] for start in range(0, len(leased), _AHEAD)]
        with ThreadPoolExecutor(self.at_a_time) as pool:
            # The looks are taken first: who waits for one keeps no thread from it.
            looks = [pool.submit(self.attempt.look_ahead, part) for part in parts]
            left = iter([(row, look) for part, look in zip(parts, looks, strict=True) for row in part])
            list(pool.map(lambda _: self._work(left), range(self.at_a_time)))

    def _work(self, left: Left) -> None:
        submitted: list[Submitted] = []
        try:
            while begun := self._next(left):
                submitted += self._send(begun)
                if submitted and self._is_time(submitted):
                    self._read_back(submitted)
                    submitted = []
            self._read_back(submitted)
            self.attempt.books.flush()
        finally:
            # What ended this one early keeps the others from beginning more.
            deque(left, maxlen=0)

    def _next(self, left: Left) -> Begun | None:
        """The next that has begun; where none is left, some more begin."""
        with self._turn:
            while not self._begun and not self._is_over():
                some = list(islice(left, self._together()))
                if not some:
                    break
                self.pace.wait()
                if not self._is_over():
                    ahead = {key: found for _, look in some for key, found in look.result().items()}
                    self._begun += self.attempt.begin([row for row, _ in some], ahead)
            return self._begun.popleft() if self._begun else None

    def _together(self) -> int:
        """How many rows begin next, in one transaction."""
        return self.at_a_time if self._is_quick and not self.pace.is_declared else 1

    def _is_over(self) -> bool:
        return self.breaker.is_open or self.attempt.now() >= self.until

    def _is_time(self, submitted: Sequence[Submitted]) -> bool:
        waited = self.attempt.now() - submitted[0].row.updated_at
        return len(submitted) >= _READ_TOGETHER or waited >= _UNREAD

    def _send(self, begun: Begun) -> list[Submitted]:
        """Send a row; what is left to be read back of it."""
        try:
            ending = self.attempt.send(begun)
        except LostToAnother:
            return []
        self._is_quick = self.attempt.now() < begun.row.updated_at + _QUICK
        if isinstance(ending, Submitted):
            return [ending]
        self._note(begun.row, ending, first=begun.is_first)
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
