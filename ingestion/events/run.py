"""Taking in what one partner has sent: its open messages become rows, are loaded, and are settled.

A message is settled after its rows are loaded. Whatever dies in between, the next batch reads it again, and its rows are
there already. A message of which something cannot be had now (a document, say) stays open and keeps no other waiting.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Engine

from contracts.resources import RESOURCES
from core.clock import utc_now
from core.connections import Connection
from core.ids import sha256_hex
from core.settings import Settings
from ingestion.base import Rejection, SourceFailure, SourceRecord
from ingestion.events.adapter import InboxAdapter
from ingestion.events.mapping import Mapper
from ingestion.events.parts import KindAndRecord
from ingestion.load import Loader
from ingestion.pod.onfleet import OnfleetAdapter
from ingestion.run import Counts, read
from ingestion.sorting import Sorted, Tally
from state import dead_letters, inbox
from state.dead_letters import DeadLetter
from state.inbox import LETTER_KIND, Message, Settled
from state.observations import business_now


@dataclass
class TakenIn:
    """What became of a partner's open messages; ``postponed`` says of each that stays open what it waits for."""

    settled: list[Settled] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)
    postponed: dict[str, str] = field(default_factory=dict)


def take_in(settings: Settings, engine: Engine, connection: Connection, run_id: str, most: int) -> TakenIn:
    """Load the rows of a partner's open messages, oldest first, so many messages at most, and settle them.

    WaybillError when the warehouse cannot be written; then nothing is settled.
    """
    now, ours = business_now(engine), utc_now()
    # By the business's clock, as everything else that a row says of time.
    messages = [
        replace(each, received_at=each.received_at + (now - ours))
        for each in inbox.unsettled(engine, connection.connection, most)
    ]
    taken = TakenIn()
    rows, refused = _mapped(settings, connection, messages, taken)
    dead_letters.record(engine, [_letter(message, run_id, why) for message, why in refused])
    fates = _Fates()
    by_kind: defaultdict[str, list[SourceRecord]] = defaultdict(list)
    for kind, row in rows:
        by_kind[kind].append(row)
    for kind, own in by_kind.items():
        taken.counts += _read_kind(settings, engine, connection, kind, own, run_id, fates, now)
    named = _shipments(rows)
    open_still = set(taken.postponed)
    rejected = {message.message_id for message, _ in refused}
    taken.settled = [
        Settled(each.message_no, 1, 0, 1, 0, 0)
        if each.message_id in rejected
        else fates.of(each, named.get(each.trace_id, ()))
        for each in messages
        if each.message_id not in open_still
    ]
    inbox.settle(engine, run_id, taken.settled, utc_now())
    return taken


def _mapped(
    settings: Settings, connection: Connection, messages: Sequence[Message], taken: TakenIn
) -> tuple[list[KindAndRecord], list[tuple[Message, Rejection]]]:
    rows: list[KindAndRecord] = []
    refused: list[tuple[Message, Rejection]] = []
    with _onfleet_of(settings, connection) as onfleet:
        mapper = Mapper(settings, onfleet)
        for message in messages:
            try:
                found = mapper.rows(message)
            except SourceFailure as failure:
                taken.postponed[message.message_id] = failure.message
                continue
            if isinstance(found, Rejection):
                refused.append((message, found))
            else:
                rows.extend(found)
    return rows, refused


def _read_kind(
    settings: Settings,
    engine: Engine,
    connection: Connection,
    kind: str,
    rows: Sequence[SourceRecord],
    run_id: str,
    fates: _Fates,
    now: datetime,
) -> list[Counts]:
    present = {each.resource for each in rows}
    resources = [each.name for each in RESOURCES if each.kind == kind and each.name in present]
    loader = Loader(settings, connection.connection, kind, is_inbox=True)
    own = connection.model_copy(update={"kind": kind})
    adapter = InboxAdapter(resources, rows, now)
    return read(settings, engine, own, adapter, run_id, loader, fates, moves=False)


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
