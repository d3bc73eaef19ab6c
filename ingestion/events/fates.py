"""What became of the rows of each message of a batch, and which rows those are.

Belongs here: adding up while rows are sorted. Loading and settling: ``run``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingestion.border import Accepted
from ingestion.sorting import Sorted, Tally
from state.inbox import Message, Settled


@dataclass(frozen=True)
class Row:
    """A row of ``raw_<kind>.<resource>`` that a message's load put there, or had put there before: ``fate`` is what this
    load counted it as."""

    run_id: str
    kind: str
    resource: str
    row_hash: str
    fate: str


@dataclass(frozen=True)
class Loaded:
    """A message whose rows are in the warehouse, and what is to be noted of it once they are built on."""

    message: Message
    settled: Settled
    rows: tuple[Row, ...] = ()

    @property
    def name(self) -> str:
        """What no other message and no letter has."""
        return self.message.message_id

    @property
    def partner(self) -> str:
        """Who sent it."""
        return self.message.partner


@dataclass
class Fates:
    """Of one load of messages. A row that was refused or waits is counted by the trace of its letter."""

    run_id: str
    _rows: defaultdict[str | None, list[Row]] = field(default_factory=lambda: defaultdict(list))
    _by_trace: defaultdict[str | None, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def of_kind(self, kind: str) -> Tally:
        """What adds up the rows of one kind of system."""
        return _OfKind(self, kind)

    def add(self, kind: str, resource: str, outcome: Sorted) -> None:
        """Count one batch of rows."""
        for fate, rows in (("loaded", outcome.accepted), ("duplicate", outcome.repeated)):
            for each in rows:
                self._note(kind, resource, fate, each)
        for letter in outcome.letters:
            self._by_trace[letter.trace_id]["parked" if letter.status == "parked" else "dead_lettered"] += 1

    def rows_of(self, message: Message) -> tuple[Row, ...]:
        """Its rows that were sorted into the warehouse, or were there."""
        return tuple(self._rows[message.trace_id])

    def of(self, message: Message, shipments: Sequence[str]) -> Loaded:
        """What became of one message's rows."""
        found = self._by_trace[message.trace_id]
        settled = Settled(
            message_no=message.message_no,
            rows_in=found.total(),
            loaded=found["loaded"],
            dead_lettered=found["dead_lettered"],
            duplicate=found["duplicate"],
            parked=found["parked"],
            shipments=tuple(shipments),
        )
        return Loaded(message, settled, self.rows_of(message))

    def _note(self, kind: str, resource: str, fate: str, row: Accepted) -> None:
        self._by_trace[row.record.trace_id][fate] += 1
        self._rows[row.record.trace_id].append(Row(self.run_id, kind, resource, row.row_hash, fate))


class _OfKind(Tally):
    def __init__(self, fates: Fates, kind: str) -> None:
        super().__init__()
        self._fates, self._kind = fates, kind

    def add(self, resource: str, rows_in: int, outcome: Sorted) -> None:
        """Count one batch."""
        super().add(resource, rows_in, outcome)
        self._fates.add(self._kind, resource, outcome)
