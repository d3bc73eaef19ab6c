"""Landing: every accepted batch as an immutable Parquet file, on disk before anything else happens to it.

The warehouse is rebuilt from these files alone, so a file is written under another name, synced, renamed,
and its folder synced; its metadata says which stream and cursor it belongs to.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.resources import Resource
from core.clock import utc_now
from core.ids import new_id
from core.settings import Settings

INBOX = "inbox"
"""The stream of what partners send by themselves; its cursor is a place in the order of arrival."""
_NOTE = b"waybill"


@dataclass(frozen=True)
class Batch:
    """One landed file: ``cursor`` is where its stream stood after the page it came from."""

    path: Path
    kind: str
    resource: str
    connection: str
    stream: str
    cursor: str | None


def land(
    settings: Settings,
    resource: Resource,
    connection: str,
    stream: str,
    cursor: str | None,
    table: pa.Table,
    tag: str | None = None,
) -> Batch:
    """Write one batch and sync it to disk; by its ``tag`` it is found again."""
    folder = _folder(settings, resource, connection)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{utc_now():%Y%m%dT%H%M%S%f}-{tag or new_id('batch')[-8:]}.parquet"
    note = {
        "kind": resource.kind,
        "resource": resource.name,
        "connection": connection,
        "stream": stream,
        "cursor": cursor,
        "contract": f"{resource.contract.__name__} {resource.contract.version}",
    }
    metadata = {**(table.schema.metadata or {}), _NOTE: json.dumps(note).encode()}
    fresh = path.with_suffix(".new")
    try:
        pq.write_table(table.replace_schema_metadata(metadata), fresh, compression="zstd")
        _sync(fresh)
    except OSError:
        fresh.unlink(missing_ok=True)  # half a file is of use to nobody, and on a full disk in the way
        raise
    fresh.rename(path)
    _sync(folder)
    return Batch(path, resource.kind, resource.name, connection, stream, cursor)


def landed(settings: Settings, connection: str | None = None) -> Iterator[Batch]:
    """Every batch ever landed, oldest first; of one connection when named."""
    pattern = f"*/*/{connection or '*'}/*.parquet"
    for path in sorted(settings.landing.glob(pattern), key=lambda each: each.name):
        yield _batch(path)


def tagged(settings: Settings, resource: Resource, connection: str, tag: str) -> Batch | None:
    """The batch that was landed under a tag; None when none was."""
    found = sorted(_folder(settings, resource, connection).glob(f"*-{tag}.parquet"))
    return _batch(found[0]) if found else None


def _folder(settings: Settings, resource: Resource, connection: str) -> Path:
    return settings.landing / resource.dataset / resource.name / connection


def _batch(path: Path) -> Batch:
    note = json.loads((pq.read_schema(path).metadata or {})[_NOTE])
    return Batch(path, note["kind"], note["resource"], note["connection"], note["stream"], note["cursor"])


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
