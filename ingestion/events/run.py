"""Taking in what one partner has sent: what its open messages say is loaded; they are settled once that is built on.

Whatever dies before that, the next batch reads them again, and their rows are there already. What a message says, and which
stay open: ``understanding``. One whose rows nobody can load, or build on, keeps no other waiting: it is found and given up
(``giving_up``), and its rows are taken back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine

from contracts.resources import RESOURCES
from core.clock import utc_now
from core.connections import Connection
from core.ids import sha256_hex
from core.settings import Settings
from ingestion.base import Rejection, SourceRecord
from ingestion.events.adapter import InboxAdapter
from ingestion.events.fates import Fates, Loaded, Row
from ingestion.events.giving_up import given_up, is_of_the_place
from ingestion.events.parts import KindAndRecord
from ingestion.events.taking_back import count_back, withdraw_rows
from ingestion.events.understanding import Rows, Understood
from ingestion.load import Loader
from ingestion.parking import Waiting
from ingestion.run import Counts, read
from state import dead_letters, inbox, ingest_counts
from state.dead_letters import DeadLetter
from state.inbox import LETTER_KIND, Message, Settled


@dataclass
class TakenIn:
    """What became of a partner's open messages. ``loaded`` ones are not settled yet, ``given_up`` ones are."""

    connection: Connection
    loaded: list[Loaded] = field(default_factory=list)
    given_up: list[Settled] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)

    @property
    def has_news(self) -> bool:
        """Whether there are rows that were not there before."""
        return any(each.loaded for each in self.counts)


def take_in(settings: Settings, engine: Engine, understood: Understood, run_id: str) -> TakenIn:
    """Load the rows of a partner's open messages, which ``settle`` settles.

    A message whose rows break the load, for a reason that nobody foresaw, is given up as a dead letter; the others go on.
    WaybillError when the warehouse cannot be written; then what was not loaded before is not settled.
    """
    taking = _Taking(settings, engine, understood, run_id)
    taking.take()
    return taking.taken


def settle(engine: Engine, run_id: str, taken: TakenIn) -> int:
    """Note what became of everything that was loaded; how many messages are done with."""
    inbox.settle(engine, run_id, [each.settled for each in taken.loaded], utc_now())
    return len(taken.loaded) + len(taken.given_up)


def forget(engine: Engine, taken: TakenIn) -> None:
    """Count nothing of messages that stay open: they are read again."""
    for run_id in {row.run_id for each in taken.loaded for row in each.rows}:
        ingest_counts.forget(engine, run_id, taken.connection.connection)


def take_back(
    settings: Settings,
    engine: Engine,
    run_id: str,
    taken: TakenIn,
    refused: Sequence[tuple[Loaded, Rejection]],
    gone: Iterable[Row],
) -> None:
    """Give up messages whose rows were loaded. Those that are ``gone`` from the warehouse will not be in a rebuilt one
    either; the others were there before."""
    name = taken.connection.connection
    withdraw_rows(settings, name, gone)
    count_back(engine, name, [row for each, _ in refused for row in each.rows])
    _refuse(engine, run_id, taken, [(each.message, why) for each, why in refused])
    numbers = {each.message.message_no for each, _ in refused}
    taken.loaded = [each for each in taken.loaded if each.message.message_no not in numbers]


class _Taking:
    """One batch of a partner's messages on its way into the warehouse."""

    def __init__(self, settings: Settings, engine: Engine, understood: Understood, run_id: str) -> None:
        self._settings, self._engine, self._run_id = settings, engine, run_id
        self._understood, self._connection = understood, understood.connection
        self._parts = 0
        self.taken = TakenIn(understood.connection)

    def take(self) -> None:
        """Everything that becomes of them, but for what is postponed."""
        if self._understood.refused:
            _refuse(self._engine, self._run_id, self.taken, self._understood.refused)
        rows = self._understood.rows
        loading = [each for each in self._understood.messages if each.message_id in rows]
        self._load(loading, rows, self._run_id)

    def _load(self, messages: Sequence[Message], rows: Rows, run_id: str) -> None:
        """Load; what fails for a reason that nobody foresaw is tried by halves, down to the message."""
        fates = Fates(run_id)
        try:
            self._load_together(messages, rows, fates)
        except Exception as error:
            if is_of_the_place(error):
                raise
            ingest_counts.forget(self._engine, run_id, self._connection.connection)
            if len(messages) > 1:
                middle = len(messages) // 2
                for half in (messages[:middle], messages[middle:]):
                    self._load(half, rows, self._next_part())
                return
            self._give_up(messages, rows, fates, error)

    def _give_up(self, messages: Sequence[Message], rows: Rows, fates: Fates, error: Exception) -> None:
        # What fails without it, too, is not its fault: nobody is given up for that.
        self._read(
            [row for each in messages for row in rows[each.message_id]], Fates(fates.run_id), is_without=True
        )
        ingest_counts.forget(self._engine, fates.run_id, self._connection.connection)
        landed = [row for each in messages for row in fates.rows_of(each) if row.fate == "loaded"]
        withdraw_rows(self._settings, self._connection.connection, landed)
        _refuse(self._engine, self._run_id, self.taken, [(each, given_up(each, error)) for each in messages])

    def _load_together(self, messages: Sequence[Message], rows: Rows, fates: Fates) -> None:
        own = [row for each in messages for row in rows[each.message_id]]
        counts = self._read(own, fates)
        named = _shipments(own)
        self.taken.loaded += [fates.of(each, named.get(each.trace_id, ())) for each in messages]
        self.taken.counts += counts

    def _read(self, rows: Sequence[KindAndRecord], fates: Fates, *, is_without: bool = False) -> list[Counts]:
        """Load these rows, or do everything but that."""
        counts: list[Counts] = []
        by_kind: defaultdict[str, list[SourceRecord]] = defaultdict(list)
        for kind, row in rows:
            by_kind[kind].append(row)
        for kind, own in by_kind.items():
            present = {each.resource for each in own}
            resources = [each.name for each in RESOURCES if each.kind == kind and each.name in present]
            adapter = InboxAdapter(resources, [] if is_without else own, self._understood.now)
            of_kind = self._connection.model_copy(update={"kind": kind})
            loader = Loader(self._settings, self._connection.connection, kind, is_inbox=True)
            # No message is to blame for a row that waited: what waits is taken up apart from them (``taking_up``).
            held = {each: Waiting(self._engine, of_kind.connection, each, []) for each in resources}
            try:
                counts += read(
                    self._settings, self._engine, of_kind, adapter, fates.run_id, loader, fates.of_kind(kind),
                    moves=False, held=held,
                )  # fmt: skip
                for each in held.values():
                    each.close()
                if is_without:
                    loader.rehearse(resources)
            except Exception as error:
                if not is_of_the_place(error):
                    loader.abandon()  # dlt would try the same rows again before any others
                raise
        return counts

    def _next_part(self) -> str:
        self._parts += 1
        return f"{self._run_id}_{self._parts}"


def _refuse(
    engine: Engine, run_id: str, taken: TakenIn, refused: Sequence[tuple[Message, Rejection]]
) -> None:
    dead_letters.record(engine, [_letter(message, run_id, why) for message, why in refused])
    settled = [Settled(message.message_no, 1, 0, 1, 0, 0) for message, _ in refused]
    inbox.settle(engine, run_id, settled, utc_now())
    taken.given_up += settled


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
