"""Looking for secrets wherever a home keeps anything: as they are, and in the encodings in which they travel.

Belongs here: what is looked into and how. A file is read as its bytes and, where it packs what it holds, as its content too:
tables of DuckDB and SQLite, Parquet, gzip.
"""

from __future__ import annotations

import base64
import gzip
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote_plus

import duckdb
import pyarrow.parquet as pq

_SQLITE = b"SQLite format 3\0"
_GZIP = b"\x1f\x8b"
_DUCKDB_AT, _DUCKDB = 8, b"DUCK"


def hits(canaries: Mapping[str, str], texts: Iterable[tuple[str, bytes]]) -> list[str]:
    """``canary in place`` for each canary (by the name of the secret) that stands in one of these (place, content)."""
    wanted = {name: forms(value) for name, value in canaries.items()}
    return sorted(
        {
            f"{name} in {place}"
            for place, content in texts
            for name, each in wanted.items()
            if any(form in content for form in each)
        }
    )


def forms(secret: str) -> set[bytes]:
    """A secret as it may be written: plain, in an address, within something that is base64."""
    found = {secret.encode(), quote_plus(secret).encode()}
    for before in range(3):
        packed = base64.b64encode(b"\0" * before + secret.encode())
        # The characters that depend on nothing that stands before it or comes after.
        found.add(packed[(before * 8 + 5) // 6 : (before + len(secret.encode())) * 8 // 6])
    return found


def contents(root: Path) -> Iterator[tuple[str, bytes]]:
    """(place, content) of every file below a folder."""
    for path in sorted(root.rglob("*")):
        if path.is_file():
            place = path.relative_to(root).as_posix()
            raw = path.read_bytes()
            yield place, raw
            yield from ((f"{place} {part}", content) for part, content in _unpacked(path, raw))


def _unpacked(path: Path, raw: bytes) -> Iterator[tuple[str, bytes]]:
    if raw.startswith(_SQLITE):
        yield from _copied(path, _sqlite)
    elif raw[_DUCKDB_AT : _DUCKDB_AT + len(_DUCKDB)] == _DUCKDB:
        yield from _copied(path, _duckdb)
    elif raw.startswith(b"PAR1"):
        table = pq.read_table(path)
        yield "rows", str(table.to_pylist()).encode()
    elif raw.startswith(_GZIP):
        yield "unpacked", gzip.decompress(raw)


def _copied(path: Path, read: object) -> list[tuple[str, bytes]]:
    """From a copy, with its log: whoever has the file open is not disturbed, and nothing is written into it."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("", "-wal", ".wal"):
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                shutil.copy(beside, folder)
        copy = Path(folder) / path.name
        assert callable(read)
        return list(read(copy))


def _sqlite(path: Path) -> Iterator[tuple[str, bytes]]:
    connection = sqlite3.connect(path)
    connection.text_factory = bytes
    try:
        names = [
            row[0].decode()
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for name in names:
            rows = connection.execute(f'SELECT * FROM "{name}"').fetchall()
            yield name, b"\n".join(_bytes(value) for row in rows for value in row)
    finally:
        connection.close()


def _duckdb(path: Path) -> Iterator[tuple[str, bytes]]:
    with duckdb.connect(str(path)) as connection:
        tables = connection.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        for schema, name in tables:
            rows = connection.execute(f'SELECT * FROM "{schema}"."{name}"').fetchall()
            yield f"{schema}.{name}", str(rows).encode()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
