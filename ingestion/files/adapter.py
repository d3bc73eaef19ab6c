"""The ``files`` adapter: an extract's rows as the records that ingestion takes from any source.

Belongs here: the hand-over alone. Its cursor is a fingerprint of the mapping and of the files behind a
resource, so that what has not changed is not read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from contracts.resources import resource
from core.connections import Connection
from core.settings import Settings
from ingestion.base import Page, Rejection, SourceRecord, Stream, Window
from ingestion.files.extract import Extract
from ingestion.files.rows import Mapped
from ingestion.strict_json import Told

PAGE_ROWS = 100_000


class FilesAdapter:
    """Reads ``connection.options`` as a mapping; with a window only rows whose version lies in it.

    The mapping is read with the first question, so that a mistake in it counts as the source's failure.
    """

    def __init__(self, _settings: Settings, connection: Connection, window: Window | None) -> None:
        self._connection = connection
        self._window = window
        self._opened: Extract | None = None

    @property
    def source_clock(self) -> datetime | None:
        """A folder has no clock of its own; a historical extract declares ``as_of``."""
        return None

    def streams(self) -> list[Stream]:
        """One stream a resource, parents first. ConfigurationError when the mapping is wrong."""
        return [Stream(each.name, (each.name,)) for each in self._extract().resources()]

    def pages(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Pages of at most 100,000 rows; the cursor moves with the last one, when everything was read."""
        extract = self._extract()
        now = extract.fingerprint(stream.name)
        if now == cursor and self._window is None:
            return
        records: list[SourceRecord] = []
        for mapped in extract.rows(resource(self._connection.kind, stream.name)):
            if self._is_outside(mapped.version):
                continue
            records.append(_record(stream.name, mapped))
            if len(records) == PAGE_ROWS:
                yield Page(records)
                records = []
        yield Page(records, now)

    def close(self) -> None:
        """Nothing is held between pages."""

    def _extract(self) -> Extract:
        if self._opened is None:
            self._opened = Extract(self._connection)
        return self._opened

    def _is_outside(self, version: datetime | None) -> bool:
        if self._window is None or version is None:
            return False
        start, end = self._window
        return not start <= version < end


def _raw(mapped: Mapped) -> Told | bytes:
    """The row's cells with the line they stood on; the line alone where no cells could be made of it."""
    if not mapped.row.cells:
        return mapped.row.raw
    told = Told(mapped.row.cells)
    told.text = mapped.row.raw
    return told


def _record(name: str, mapped: Mapped) -> SourceRecord:
    return SourceRecord(
        resource=name,
        raw=_raw(mapped),
        version=mapped.version,
        fields=mapped.fields or None,
        rejection=Rejection(*mapped.fault) if mapped.fault else None,
    )
