"""Rows that waited for what somebody else sends: a proof that came before its shipment was assigned.

Belongs here: finding those whose parent has come, and having them read again as if they came now. How a row waits, and until
when, is ``sorting`` and ``parking``; a reading of the partner's own system takes up the same rows. Like a message, a row is
done with once it is built on; one that cannot be loaded, or built on, is found among the others and given up alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import count

from sqlalchemy import Engine

from contracts.resources import Resource, resource
from core.connections import Connection
from core.settings import Settings
from ingestion.base import Rejection
from ingestion.events.adapter import InboxAdapter
from ingestion.events.fates import Row
from ingestion.events.giving_up import is_of_the_place, waited_in_vain
from ingestion.events.taking_back import count_back, withdraw_rows
from ingestion.known import known_parents
from ingestion.load import Loader
from ingestion.parking import Waiting, hash_of
from ingestion.run import Counts, read
from ingestion.sorting import Sorted, Tally
from state import dead_letters, ingest_counts
from state.dead_letters import DeadLetter
from state.observations import business_now


@dataclass(frozen=True)
class Waited:
    """A row that waited and is in the warehouse now."""

    letter: DeadLetter
    row: Row

    @property
    def name(self) -> str:
        """What no message and no other letter has."""
        return self.letter.dead_letter_id

    @property
    def partner(self) -> str:
        """Who sent it."""
        return self.letter.connection

    @property
    def rows(self) -> tuple[Row, ...]:
        """Itself."""
        return (self.row,)


@dataclass
class TakenUp:
    """What became of waiting rows. Of those that were loaded nobody has said yet that they wait no more; ``released`` are their
    letters, and others of the same bytes, with the hash of these."""

    loaded: list[Waited] = field(default_factory=list)
    released: dict[str, str] = field(default_factory=dict)
    counts: list[Counts] = field(default_factory=list)


def take_up(
    settings: Settings,
    engine: Engine,
    connections: Iterable[Connection],
    run_id: str,
    loaded: Set[tuple[str, str]] | None,
) -> TakenUp:
    """Load every waiting row whose parent is there now, which ``settle`` settles; counted under run ids of their own.

    ``loaded``: ``(kind, resource)`` of what this batch has brought, None for whatever may have come at any time. What waits is
    looked at when its parents come, and when more of its own kind does: a scheduled reading may have brought the parents. No
    resource that waits is one that others wait for, so that one look is enough.
    """
    taken = TakenUp()
    by_name = {each.connection: each for each in connections if each.lifecycle != "retired"}
    for name, own in _waiting(engine, loaded):
        letters = dead_letters.parked(engine, name, own.name)
        if name in by_name and _has_come(settings, own, letters):
            of_kind = by_name[name].model_copy(update={"kind": own.kind})
            _Taking(settings, engine, of_kind, own, run_id, taken).load(letters)
    return taken


def settle(engine: Engine, taken: TakenUp) -> None:
    """Note that what was loaded waits no more."""
    dead_letters.resolve(engine, list(taken.released))


def forget(engine: Engine, taken: TakenUp) -> None:
    """Count nothing of rows that go on waiting: they are taken up again."""
    for each in taken.loaded:
        ingest_counts.forget(engine, each.row.run_id, each.partner)


def take_back(
    settings: Settings,
    engine: Engine,
    run_id: str,
    taken: TakenUp,
    refused: Sequence[tuple[Waited, Rejection]],
    gone: Iterable[Row],
) -> None:
    """Give up rows that were loaded. Those that are ``gone`` from the warehouse will not be in a rebuilt one either."""
    by_partner: defaultdict[str, list[Row]] = defaultdict(list)
    for each, _ in refused:
        by_partner[each.partner].append(each.row)
    without = set(gone)
    for partner, rows in by_partner.items():
        withdraw_rows(settings, partner, without.intersection(rows))
        count_back(engine, partner, rows)
    given_up = {each.letter.raw_sha256 for each, _ in refused}
    taken.loaded = [each for each in taken.loaded if each.letter.raw_sha256 not in given_up]
    taken.released = {letter: raw for letter, raw in taken.released.items() if raw not in given_up}
    _refuse(engine, run_id, [(each.letter, why) for each, why in refused])


class _Taking:
    """The waiting rows of one resource on their way into the warehouse."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        of_kind: Connection,
        own: Resource,
        run_id: str,
        into: TakenUp,
    ) -> None:
        self._settings, self._engine, self._of_kind = settings, engine, of_kind
        self._own, self._run_id, self._into = own, run_id, into
        # Nothing of one resource's counts is forgotten with another's.
        self._run_ids = _run_ids(run_id, own)

    def load(self, letters: Sequence[DeadLetter]) -> None:
        """Load; what fails for a reason that nobody foresaw is tried by halves, down to the row."""
        fates = _Fates(next(self._run_ids), self._own)
        waiting = Waiting(self._engine, self._of_kind.connection, self._own.name, letters)
        try:
            counts = self._read(waiting, fates)
        except Exception as error:
            if is_of_the_place(error):
                raise
            ingest_counts.forget(self._engine, fates.run_id, self._of_kind.connection)
            if len(letters) > 1:
                middle = len(letters) // 2
                self.load(letters[:middle])
                self.load(letters[middle:])
                return
            self._give_up(letters, fates, error)
            return
        self._into.counts += counts
        self._into.released |= waiting.released
        self._into.loaded += [
            Waited(each, fates.rows[each.raw_sha256]) for each in letters if each.raw_sha256 in fates.rows
        ]

    def _read(self, waiting: Waiting, fates: _Fates, *, is_without: bool = False) -> list[Counts]:
        """Load these rows, or do everything but that."""
        name, connection = self._own.name, self._of_kind
        loader = Loader(self._settings, connection.connection, connection.kind, is_inbox=True)
        adapter = InboxAdapter([name], [], business_now(self._engine))
        try:
            counts = read(
                self._settings, self._engine, connection, adapter, fates.run_id, loader, fates,
                moves=False, held={name: waiting},
            )  # fmt: skip
            if is_without:
                loader.rehearse([name])
        except Exception as error:
            if not is_of_the_place(error):
                loader.abandon()  # dlt would try the same rows again before any others
            raise
        return counts

    def _give_up(self, letters: Sequence[DeadLetter], fates: _Fates, error: Exception) -> None:
        # What fails without it, too, is not its fault: it goes on waiting.
        connection = self._of_kind.connection
        none = Waiting(self._engine, connection, self._own.name, [])
        try:
            self._read(none, _Fates(fates.run_id, self._own), is_without=True)
        finally:
            ingest_counts.forget(self._engine, fates.run_id, connection)
        withdraw_rows(
            self._settings, connection, [each for each in fates.rows.values() if each.fate == "loaded"]
        )
        refused = [(each, waited_in_vain(each.dead_letter_id, error)) for each in letters]
        _refuse(self._engine, self._run_id, refused)


class _Fates(Tally):
    """Which row of the warehouse each waiting one is, by the hash of its bytes."""

    def __init__(self, run_id: str, own: Resource) -> None:
        super().__init__()
        self.run_id, self._own = run_id, own
        self.rows: dict[str, Row] = {}

    def add(self, resource: str, rows_in: int, outcome: Sorted) -> None:
        """Count one batch."""
        super().add(resource, rows_in, outcome)
        for fate, rows in (("loaded", outcome.accepted), ("duplicate", outcome.repeated)):
            for each in rows:
                row = Row(self.run_id, self._own.kind, resource, each.row_hash, fate)
                self.rows[hash_of(each.record.raw)] = row


def _run_ids(run_id: str, own: Resource) -> Iterator[str]:
    first = f"{run_id}_waited_{own.kind}_{own.name}"
    yield first
    for part in count(1):
        yield f"{first}_{part}"


def _refuse(engine: Engine, run_id: str, refused: Sequence[tuple[DeadLetter, Rejection]]) -> None:
    instead = {
        letter.dead_letter_id: replace(
            letter, reason=why.reason, detail=why.detail, run_id=run_id, status="open", park_until=None
        )
        for letter, why in refused
    }
    dead_letters.replace_parked(engine, instead)


def _waiting(engine: Engine, loaded: Set[tuple[str, str]] | None) -> list[tuple[str, Resource]]:
    """Connections, each with a resource whose rows may wait for what was loaded."""
    found = [
        (name, resource(kind, waits)) for name, kind, waits in sorted(dead_letters.parked_resources(engine))
    ]
    return [
        (name, own)
        for name, own in found
        if own.parent
        and (
            loaded is None
            or not loaded.isdisjoint({(own.parent.kind, own.parent.resource), (own.kind, own.name)})
        )
    ]


def _has_come(settings: Settings, own: Resource, letters: Iterable[DeadLetter]) -> bool:
    """Whether the parent of any waiting row is known: the others would only be counted once more."""
    assert own.parent is not None
    fields = [each.fields or {} for each in letters]
    named = {each[own.parent.field] for each in fields if each.get(own.parent.field) is not None}
    return bool(known_parents(settings, own.parent, named))
