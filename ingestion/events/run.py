"""Taking in what one partner has sent: what its open messages say is loaded, and they are settled.

A message is settled after its rows are loaded. Whatever dies in between, the next batch reads it again, and its rows are
there already. What a message says, and which stay open: ``understanding``. One whose rows nobody can load keeps no other
waiting: it is found and given up (``giving_up``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine

from contracts.resources import RESOURCES
from core.clock import utc_now
from core.ids import sha256_hex
from core.settings import Settings
from ingestion.base import Rejection, SourceRecord
from ingestion.events.adapter import InboxAdapter
from ingestion.events.giving_up import given_up, is_of_the_place
from ingestion.events.parts import KindAndRecord
from ingestion.events.understanding import Rows, Understood
from ingestion.load import Loader
from ingestion.run import Counts, read
from ingestion.sorting import Sorted, Tally
from state import dead_letters, inbox, ingest_counts
from state.dead_letters import DeadLetter
from state.inbox import LETTER_KIND, Message, Settled


@dataclass
class TakenIn:
    """What became of a partner's open messages."""

    settled: list[Settled] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)


def take_in(settings: Settings, engine: Engine, understood: Understood, run_id: str) -> TakenIn:
    """Load the rows of a partner's open messages and settle them.

    A message whose rows break the load, for a reason that nobody foresaw, is given up as a dead letter; the others go on.
    WaybillError when the warehouse cannot be written; then what was not loaded before is not settled.
    """
    taking = _Taking(settings, engine, understood, run_id)
    taking.take()
    return taking.taken


class _Taking:
    """One batch of a partner's messages on its way into the warehouse."""

    def __init__(self, settings: Settings, engine: Engine, understood: Understood, run_id: str) -> None:
        self._settings, self._engine, self._run_id = settings, engine, run_id
        self._understood, self._connection = understood, understood.connection
        self._parts = 0
        self.taken = TakenIn()

    def take(self) -> None:
        """Everything that becomes of them, but for what is postponed."""
        if self._understood.refused:
            self._refuse(self._understood.refused)
        rows = self._understood.rows
        loading = [each for each in self._understood.messages if each.message_id in rows]
        self._load(loading, rows, self._run_id)

    def _refuse(self, refused: Sequence[tuple[Message, Rejection]]) -> None:
        dead_letters.record(self._engine, [_letter(message, self._run_id, why) for message, why in refused])
        self._settle([Settled(message.message_no, 1, 0, 1, 0, 0) for message, _ in refused])

    def _load(self, messages: Sequence[Message], rows: Rows, run_id: str) -> None:
        """Load and settle; what fails for a reason that nobody foresaw is tried by halves, down to the message."""
        try:
            self._load_together(messages, rows, run_id)
        except Exception as error:
            if is_of_the_place(error):
                raise
            ingest_counts.forget(self._engine, run_id, self._connection.connection)
            if len(messages) > 1:
                middle = len(messages) // 2
                for half in (messages[:middle], messages[middle:]):
                    self._load(half, rows, self._next_part())
                return
            # What fails without it, too, is not its fault: nobody is given up for that.
            self._read([row for each in messages for row in rows[each.message_id]], run_id, is_without=True)
            self._refuse([(each, given_up(each, error)) for each in messages])

    def _load_together(self, messages: Sequence[Message], rows: Rows, run_id: str) -> None:
        own = [row for each in messages for row in rows[each.message_id]]
        fates = self._read(own, run_id)
        named = _shipments(own)
        self._settle([fates.of(each, named.get(each.trace_id, ())) for each in messages])

    def _read(self, rows: Sequence[KindAndRecord], run_id: str, *, is_without: bool = False) -> _Fates:
        """Load these rows, or do everything but that; what became of them."""
        fates = _Fates()
        by_kind: defaultdict[str, list[SourceRecord]] = defaultdict(list)
        for kind, row in rows:
            by_kind[kind].append(row)
        for kind, own in by_kind.items():
            present = {each.resource for each in own}
            resources = [each.name for each in RESOURCES if each.kind == kind and each.name in present]
            adapter = InboxAdapter(resources, [] if is_without else own, self._understood.now)
            of_kind = self._connection.model_copy(update={"kind": kind})
            loader = Loader(self._settings, self._connection.connection, kind, is_inbox=True)
            self.taken.counts += read(
                self._settings, self._engine, of_kind, adapter, run_id, loader, fates, moves=False
            )
        return fates

    def _settle(self, settled: Sequence[Settled]) -> None:
        inbox.settle(self._engine, self._run_id, settled, utc_now())
        self.taken.settled += settled

    def _next_part(self) -> str:
        self._parts += 1
        return f"{self._run_id}_{self._parts}"


class _Fates(Tally):
    """Adds up the fates of a reading, and those of each message's rows by its trace."""

    def __init__(self) -> None:
        super().__init__()
        self._by_trace: defaultdict[str | None, Counter[str]] = defaultdict(Counter)

    def add(self, resource: str, rows_in: int, outcome: Sorted) -> None:
        """Count one batch."""
        super().add(resource, rows_in, outcome)
        for each in outcome.accepted:
            self._by_trace[each.record.trace_id]["loaded"] += 1
        for each in outcome.repeated:
            self._by_trace[each.record.trace_id]["duplicate"] += 1
        for letter in outcome.letters:
            self._by_trace[letter.trace_id]["parked" if letter.status == "parked" else "dead_lettered"] += 1

    def of(self, message: Message, shipments: Sequence[str]) -> Settled:
        """What became of one message's rows."""
        found = self._by_trace[message.trace_id]
        return Settled(
            message_no=message.message_no,
            rows_in=found.total(),
            loaded=found["loaded"],
            dead_lettered=found["dead_lettered"],
            duplicate=found["duplicate"],
            parked=found["parked"],
            shipments=tuple(shipments),
        )


def _shipments(rows: Sequence[KindAndRecord]) -> dict[str, tuple[str, ...]]:
    """The consignments that each message's rows name, by its trace."""
    named: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for _, row in rows:
        if row.shipment_ref and row.trace_id:
            named[row.trace_id][row.shipment_ref] = None
    return {trace: tuple(shipments) for trace, shipments in named.items()}


def _letter(message: Message, run_id: str, why: Rejection) -> DeadLetter:
    return DeadLetter(
        connection=message.partner,
        kind=LETTER_KIND,
        resource=message.kind,
        source_id=message.event_id,
        order_ref=None,
        shipment_ref=None,
        reason=why.reason,
        detail=why.detail,
        raw=message.body,
        raw_sha256=sha256_hex(message.body),
        trace_id=message.trace_id,
        run_id=run_id,
        status="open",
        received_at=message.received_at,
    )
