"""Several threads' changes in one transaction: a disk that is waited for once serves all who wait.

Whoever comes while a transaction is being written waits for it, and the first of those who waited writes the next one
for all of them. Belongs here: taking turns. What a change is, and how several are written, is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

C = TypeVar("C")
R = TypeVar("R")


class Promised(Generic[R]):
    """What comes of a change: nothing yet before it is written or has failed, which ``flush`` waits for.

    ``flush`` does the waiting, so it needs no lock of its own as a ``Future`` has: to make those took 3 % of the push's CPU time.
    """

    __slots__ = ("error", "results")

    def __init__(self) -> None:
        self.results: list[R] = []
        self.error: BaseException | None = None

    def result(self) -> R:
        """What came of it; it raises what ``write`` raised."""
        if self.error is not None:
            raise self.error
        return self.results[0]


class GroupCommit(Generic[C, R]):
    """``write`` writes changes in one transaction and says of each what came of it, in their order.

    When it raises, nothing of these changes was written: each is then written alone, so that none fails for another.
    """

    def __init__(self, write: Callable[[Sequence[C]], Sequence[R]]) -> None:
        self._write = write
        self._waiting: list[tuple[C, Promised[R]]] = []
        self._guard, self._turn = Lock(), Lock()

    def later(self, change: C) -> Promised[R]:
        """Have it written with the next change that somebody waits for, or by ``flush``; it is not on disk before."""
        promised: Promised[R] = Promised()
        with self._guard:
            self._waiting.append((change, promised))
        return promised

    def now(self, changes: Sequence[C]) -> list[R]:
        """Have them written, and what came of each: on disk when this returns. It raises what ``write`` raised."""
        promised = [self.later(change) for change in changes]
        self.flush()
        return [each.result() for each in promised]

    def flush(self) -> None:
        """Return when all that was handed in before is written, or has failed."""
        with self._turn:
            with self._guard:
                taken, self._waiting = self._waiting, []
            if taken:
                self._write_all(taken)

    def _write_all(self, taken: Sequence[tuple[C, Promised[R]]]) -> None:
        try:
            done = self._write([change for change, _ in taken])
        except BaseException as error:  # what ends this thread must reach those who wait for it as well
            if len(taken) > 1 and isinstance(error, Exception):
                for each in taken:
                    self._write_all([each])
                return
            for _, promised in taken:
                promised.error = error
            if not isinstance(error, Exception):
                raise
            return
        for (_, promised), result in zip(taken, done, strict=True):
            promised.results.append(result)
