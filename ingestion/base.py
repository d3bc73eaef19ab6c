"""What every adapter speaks: streams of pages of source records. No vendor, no dlt, no warehouse here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from core.connections import Connection
from core.errors import WaybillError
from core.settings import Settings

Window = tuple[datetime, datetime]
"""From (included) and to (excluded), by the source's own modification time."""


class SourceFailure(WaybillError):
    """A source did not answer, or not with what its documentation says; names connection and remedy."""


@dataclass(frozen=True)
class Rejection:
    """Why a row is refused: a stable reason code and what was seen."""

    reason: str
    detail: str


@dataclass(frozen=True)
class SourceRecord:
    """One contract row as an adapter found it.

    ``raw`` is the payload as received, for the dead letter. ``fields`` are contract fields, None when the
    adapter itself refuses the row. ``version`` is the source's own modification instant. ``trace_id`` is that of the
    message it came with, None for what was read.
    """

    resource: str
    raw: Mapping[str, Any] | bytes
    version: datetime | None
    fields: Mapping[str, Any] | None
    rejection: Rejection | None = None
    order_ref: str | None = None
    shipment_ref: str | None = None
    trace_id: str | None = None


@dataclass(frozen=True)
class Columns:
    """Rows of one resource that an adapter could map all at once, none of them in any way unusual.

    ``table`` has the contract's columns, ``versions`` and ``raws`` one entry per row. What turns out to be
    unusual after all (seen before, waiting for its parent) goes on as a record.
    """

    resource: str
    table: pa.Table
    versions: Sequence[datetime]
    raws: Sequence[Mapping[str, Any]]

    def record(self, row: int) -> SourceRecord:
        """One row as a record."""
        fields: Mapping[str, Any] = self.table.slice(row, 1).to_pylist()[0]
        return SourceRecord(self.resource, self.raws[row], self.versions[row], fields)


@dataclass(frozen=True)
class Page:
    """One answer of the source; ``cursor`` is where to go on after it, None when it says nothing new.

    A resource's rows are in ``records`` or in ``columns``; the two never hold rows of one source id.
    """

    records: Sequence[SourceRecord]
    cursor: str | None = None
    columns: Sequence[Columns] = ()


@dataclass(frozen=True)
class Stream:
    """One thing to read with one cursor; a page of it may hold rows of several resources."""

    name: str
    resources: tuple[str, ...] = field(default=())


class Adapter(Protocol):
    """One connected system. ``source_clock`` is its own time at its last answer, None when it has none."""

    @property
    def source_clock(self) -> datetime | None: ...

    def streams(self) -> Sequence[Stream]:
        """What there is to read, parents first."""

    def pages(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Everything after ``cursor`` with overlap, oldest first; SourceFailure when the source fails."""

    def close(self) -> None:
        """Let go of connections and files."""


class AdapterFactory(Protocol):
    """How the registry makes an adapter; with a window it reads that span and ignores cursors."""

    def __call__(self, settings: Settings, connection: Connection, window: Window | None) -> Adapter: ...
