"""Reading one connection: pages through the border into landing, then into the warehouse.

Nothing of a page is lost and nothing of it counts twice, whatever dies in between: refused rows are in the
state store, accepted rows in landing, before the load; the cursor moves with the load.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine

from contracts.resources import Resource, resource
from core.clock import utc_now
from core.connections import Connection
from core.disk import told_when_full
from core.errors import WaybillError
from core.settings import Settings
from ingestion.ahead import one_ahead
from ingestion.base import Adapter, Columns, Page, SourceRecord, Stream, Window
from ingestion.drift import Fields
from ingestion.envelope import enveloped
from ingestion.known import Known
from ingestion.landing import INBOX, Batch, land
from ingestion.load import Loader
from ingestion.parking import FreshParents, Waiting
from ingestion.records import in_time, is_in_future
from ingestion.registry import open_adapter
from ingestion.sorting import Counts, Sorted, Sorter, Tally, Visit
from ingestion.warehouse import ensure_raw_tables, ensure_warehouse, replay
from state import dead_letters, ingest_counts, observations

__all__ = ["Counts", "ensure_raw_tables", "ensure_warehouse", "ingest", "read", "replay"]

log = logging.getLogger("waybill.ingestion")


def ingest(
    settings: Settings,
    engine: Engine,
    connection: Connection,
    run_id: str,
    window: Window | None = None,
) -> list[Counts]:
    """Read what is new since the cursors, or a window again without moving them; counts per resource.

    Raises the source's failure (WaybillError) after recording it; what was read before is kept.
    """
    started = utc_now()
    adapter = open_adapter(settings, connection, window)
    try:
        with told_when_full(settings.root):
            loader = Loader(settings, connection.connection, connection.kind)
            counts = read(
                settings, engine, connection, adapter, run_id, loader, Tally(), moves=window is None
            )
    except WaybillError as error:
        observations.record(
            engine, connection.connection, connection.kind, False, utc_now(), adapter.source_clock,
            error.message, error.remedy,
        )  # fmt: skip
        raise
    finally:
        adapter.close()
    clock = connection.as_of or adapter.source_clock
    observations.record(engine, connection.connection, connection.kind, True, utc_now(), clock)
    rows_in, loaded = sum(each.rows_in for each in counts), sum(each.loaded for each in counts)
    seconds = (utc_now() - started).total_seconds()
    log.info("%s: %d rows in, %d loaded, %.1f s", connection.connection, rows_in, loaded, seconds)
    return counts


def read(
    settings: Settings,
    engine: Engine,
    connection: Connection,
    adapter: Adapter,
    run_id: str,
    loader: Loader,
    tally: Tally,
    *,
    moves: bool = True,
    held: Mapping[str, Waiting] | None = None,
) -> list[Counts]:
    """All streams of one connection, loaded at once; when one fails, what was read before it is loaded.

    ``held``: by resource, what waits and whose caller says himself when its rows are done with.
    """
    stands = loader.cursors() if moves else {}
    fresh, fields = FreshParents(), Fields()
    resources: list[str] = []
    batches: list[Batch] = []
    waiting = dict(held or {})
    streams = adapter.streams()
    # What waits is taken up once, by the last stream that may have brought its resource.
    ends_with = {name: stream.name for stream in streams for name in stream.resources}
    try:
        for stream in streams:
            resources.extend(each for each in stream.resources if each not in resources)
            takes_up = [name for name in stream.resources if ends_with[name] == stream.name]
            reading = _Reading(
                settings, engine, connection, adapter, run_id, stream, tally, fresh, fields, waiting, takes_up
            )
            for batch in reading.batches(stands.get(stream.name), moves=moves):
                batches.append(batch)  # one by one: what came before a failure is loaded
    finally:
        loader.load(batches)
        for name, each in waiting.items():
            if name not in (held or {}):
                each.close()
        fields.keep(engine, connection.connection, connection.kind, run_id)
        counts = tally.counts(connection.connection, f"raw_{connection.kind}", resources)
        ingest_counts.record(engine, run_id, [ingest_counts.IngestCount(**vars(each)) for each in counts])
    return counts


class _Reading:
    """One stream of one connection in one run."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        connection: Connection,
        adapter: Adapter,
        run_id: str,
        stream: Stream,
        tally: Tally,
        fresh: FreshParents,
        fields: Fields,
        waiting: dict[str, Waiting],
        takes_up: Sequence[str],
    ) -> None:
        self._settings, self._engine = settings, engine
        self._connection, self._adapter = connection, adapter
        self._run_id, self._stream, self._tally = run_id, stream, tally
        self._fresh, self._fields = fresh, fields
        self._sorters: dict[str, Sorter] = {}
        self._waiting, self._takes_up = waiting, takes_up

    def batches(self, cursor: str | None, *, moves: bool) -> Iterator[Batch]:
        """Every page sorted and landed, refused rows recorded; then the parked rows are taken up again."""
        for page in one_ahead(self._adapter.pages(self._stream, cursor)):
            is_news = moves and page.cursor != cursor
            yield from self._page(page, page.cursor if is_news else None)
        if moves and is_in_future(cursor, self._adapter.source_clock):
            log.warning(
                "%s: the cursor of %s, %s, lies after the source's own time: all of it is read again.",
                *(self._connection.connection, self._stream.name, cursor),
            )
            for page in one_ahead(self._adapter.pages(self._stream, None)):
                yield from self._page(page, page.cursor)
        for name in self._takes_up:
            own = resource(self._connection.kind, name)
            waiting = self._waiting_of(own).records()
            if waiting:
                yield from self._landed(own, self._sort(own, waiting), None)

    def _page(self, page: Page, cursor: str | None) -> list[Batch]:
        batches: list[Batch] = []
        last = self._stream.resources[-1]
        for name in self._stream.resources:
            own = resource(self._connection.kind, name)
            # The messages of partners have no cursor, and times of their own.
            clock = None if self._stream.name == INBOX else self._adapter.source_clock
            records = [in_time(each, clock) for each in page.records if each.resource == name]
            columns = [each for each in page.columns if each.resource == name]
            self._waiting_of(own).note_sent(records, columns)
            self._fields.note(name, records, columns)
            # Only the last resource of a page carries the cursor: before it, the page is not complete.
            outcome = self._sort(own, records, columns)
            batches.extend(self._landed(own, outcome, cursor if name == last else None))
        return batches

    def _landed(self, own: Resource, outcome: Sorted, cursor: str | None) -> list[Batch]:
        if not outcome.loaded and cursor is None:
            return []
        name = self._connection.connection
        table = enveloped(own, name, self._run_id, outcome)
        return [land(self._settings, own, name, self._stream.name, cursor, table)]

    def _sort(
        self, own: Resource, records: Sequence[SourceRecord], columns: Sequence[Columns] = ()
    ) -> Sorted:
        outcome = self._sorter(own).sort(records, columns)
        self._fresh.note(own, outcome)
        rows_in = len(records) + sum(each.table.num_rows for each in columns)
        self._tally.add(own.name, rows_in, outcome)
        if outcome.letters:
            dead_letters.record(self._engine, outcome.letters)
        self._waiting_of(own).settle(outcome)
        return outcome

    def _waiting_of(self, own: Resource) -> Waiting:
        if own.name not in self._waiting:
            self._waiting[own.name] = Waiting(self._engine, self._connection.connection, own.name)
        return self._waiting[own.name]

    def _sorter(self, own: Resource) -> Sorter:
        if own.name not in self._sorters:
            visit = Visit(self._connection.connection, self._run_id, self._as_of())
            hashes = Known(self._settings, own, self._connection.connection).hashes
            parents = self._fresh.with_known(self._settings, own.parent).among if own.parent else None
            self._sorters[own.name] = Sorter(own, visit, hashes, parents)
        return self._sorters[own.name]

    def _as_of(self) -> datetime:
        return self._connection.as_of or self._adapter.source_clock or utc_now()
