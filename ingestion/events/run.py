"""Taking in what one partner has sent: its open messages become rows, are loaded, and are settled.

A message is settled after its rows are loaded. Whatever dies in between, the next batch reads it again, and its rows are
there already. A message of which something cannot be had now (a document, say) stays open and keeps no other waiting,
nor does one that nobody can read: it is found and given up (``giving_up``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy import Engine

from contracts.resources import RESOURCES
from core.clock import utc_now
from core.connections import Connection
from core.ids import sha256_hex
from core.settings import Settings
from ingestion.base import Rejection, SourceFailure, SourceRecord
from ingestion.events.adapter import InboxAdapter
from ingestion.events.giving_up import given_up, is_of_the_place
from ingestion.events.mapping import Mapper
from ingestion.events.parts import KindAndRecord
from ingestion.load import Loader
from ingestion.pod.onfleet import OnfleetAdapter
from ingestion.run import Counts, read
from ingestion.sorting import Sorted, Tally
from state import dead_letters, inbox, ingest_counts
from state.dead_letters import DeadLetter
from state.inbox import LETTER_KIND, Message, Settled
from state.observations import business_now

Rows = dict[str, list[KindAndRecord]]
"""By the message that they are made of."""


@dataclass
class TakenIn:
    """What became of a partner's open messages; ``postponed`` says of each that stays open what it waits for."""

    settled: list[Settled] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)
    postponed: dict[str, str] = field(default_factory=dict)


def take_in(settings: Settings, engine: Engine, connection: Connection, run_id: str, most: int) -> TakenIn:
    """Load the rows of a partner's open messages, oldest first, so many messages at most, and settle them.

    A message that cannot be read, for a reason that nobody foresaw, is given up as a dead letter; the others go on.
    WaybillError when the warehouse cannot be written; then what was not loaded before is not settled.
    """
    taking = _Taking(settings, engine, connection, run_id)
    # By the business's clock, as everything else that a row says of time.
    ahead = taking.now - utc_now()
    last_no = 0
    while messages := inbox.unsettled(engine, connection.connection, most, last_no):
        taking.take([replace(each, received_at=each.received_at + ahead) for each in messages])
        if taking.taken.settled:
            break
        last_no = messages[-1].message_no  # all of them wait: those behind them need not
    return taking.taken


class _Taking:
    """One batch of a partner's messages on its way into the warehouse."""

    def __init__(self, settings: Settings, engine: Engine, connection: Connection, run_id: str) -> None:
        self._settings, self._engine, self._connection, self._run_id = settings, engine, connection, run_id
        self._parts = 0
        self.now = business_now(engine)
        self.taken = TakenIn()

    def take(self, messages: Sequence[Message]) -> None:
        """Everything that becomes of them, but for what is postponed."""
        rows, refused = self._mapped(messages)
        if refused:
            self._refuse(refused)
        self._load([each for each in messages if each.message_id in rows], rows, self._run_id)

    def _mapped(self, messages: Sequence[Message]) -> tuple[Rows, list[tuple[Message, Rejection]]]:
        rows: Rows = {}
        refused: list[tuple[Message, Rejection]] = []
        with _onfleet_of(self._settings, self._connection) as onfleet:
            mapper = Mapper(self._settings, onfleet)
            for message in messages:
                try:
                    found = mapper.rows(message)
                except SourceFailure as failure:
                    self.taken.postponed[message.message_id] = failure.message
                    continue
                except Exception as error:
                    if is_of_the_place(error):
                        raise
                    found = given_up(message, error)
                if isinstance(found, Rejection):
                    refused.append((message, found))
                else:
                    rows[message.message_id] = found
        return rows, refused

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
            adapter = InboxAdapter(resources, [] if is_without else own, self.now)
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


@contextmanager
def _onfleet_of(settings: Settings, connection: Connection) -> Iterator[_Onfleet]:
    onfleet = _Onfleet(settings, connection)
    try:
        yield onfleet
    finally:
        onfleet.close()


class _Onfleet:
    """The partner's own API, opened when a message needs a document from there."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings, self._connection = settings, connection
        self._adapter: OnfleetAdapter | None = None

    def __call__(self) -> OnfleetAdapter:
        if self._adapter is None:
            self._adapter = OnfleetAdapter(self._settings, self._connection, None)
        return self._adapter

    def close(self) -> None:
        if self._adapter is not None:
            self._adapter.close()


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
