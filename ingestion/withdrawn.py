"""Rows of landed batches that are taken back: noted beside the file, which stays as it was landed.

Belongs here: the note, and reading a batch without those rows. Who takes rows back, and why, is ``events``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contracts.resources import Resource
from core.files import sync_folder
from core.settings import Settings
from ingestion.landing import INBOX, Batch, landed

_SUFFIX = ".withdrawn.json"


def withdraw(settings: Settings, resource: Resource, connection: str, hashes: Collection[str]) -> None:
    """From now on no landed batch of messages of this connection has rows with these hashes."""
    wanted = pa.array(sorted(hashes), pa.string())
    for batch in landed(settings, connection):
        if (batch.kind, batch.resource, batch.stream) != (resource.kind, resource.name, INBOX):
            continue
        held = pq.read_table(batch.path, columns=["row_hash"])["row_hash"]
        found = held.filter(pc.is_in(held, wanted)).to_pylist()
        if found:
            _note(batch.path, sorted({*found, *_withdrawn(batch.path)}))


def read(batch: Batch) -> pa.Table:
    """The rows of one batch that nobody has taken back."""
    rows, gone = pq.read_table(batch.path), _withdrawn(batch.path)
    return rows.filter(pc.invert(pc.is_in(rows["row_hash"], pa.array(gone, pa.string())))) if gone else rows


def _withdrawn(path: Path) -> list[str]:
    note = path.with_suffix(_SUFFIX)
    found: list[str] = json.loads(note.read_text(encoding="utf-8")) if note.exists() else []
    return found


def _note(path: Path, hashes: list[str]) -> None:
    note = path.with_suffix(_SUFFIX)
    fresh = note.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(json.dumps(hashes))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(note)
    sync_folder(note.parent)
