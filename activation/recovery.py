"""What earlier pushes left behind: attempts that did not end become UNKNOWN, and UNKNOWN rows are looked up.

Belongs here: taking over, and asking no more of a system that does not answer. What a found document means is ``attempt``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from activation.attempt import Attempt
from activation.worker import is_gone
from state import leases, outbox
from state.outbox_moves import LostToAnother


@dataclass(frozen=True)
class Recovery:
    """Of one destination. ``answers`` asks the system something that concerns no row, and says whether it answered."""

    engine: Engine
    destination: str
    attempt: Attempt
    answers: Callable[[], bool]

    def run(self, now: datetime) -> bool:
        """Take over from workers that are gone and settle what can be; False when the system did not answer.

        A look-up that fails may be the row's own trouble: then the others are asked about all the same. If the system
        does not answer at all, none of them is, however many there are.
        """
        self._take_over(now)
        last = 0
        while some := outbox.in_doubt(self.engine, self.destination, after=last):
            for doubtful in some:
                with suppress(LostToAnother):
                    if self.attempt.reconcile(doubtful) is None and not self.answers():
                        return False
            last = some[-1].outbox_id
        return True

    def _take_over(self, now: datetime) -> None:
        leased = leases.leased(self.engine, self.destination)
        gone = {row.leased_by for row in leased if row.leased_by and is_gone(row.leased_by)}
        gone.add(self.attempt.worker)
        if any(row.state == "READY" and row.leased_by in gone for row in leased):
            leases.release_leases(self.engine, self.destination, sorted(gone))
        for row in leased:
            expired = row.leased_until is None or row.leased_until <= now
            if row.state == "SENDING" and (expired or row.leased_by in gone):
                told = {"last_error": "the attempt did not end", "leased_by": None, "leased_until": None}
                with suppress(LostToAnother), self.engine.begin() as db:
                    outbox.move(db, row, "UNKNOWN", now, told)
