"""The search of fault 45 finds a secret in whatever may hold one, and nothing where there is none."""

from __future__ import annotations

import base64
import gzip
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.canaries import contents, hits

CANARY = "canary-token-5b1e"
FILLER = "the same words again and again " * 200


def parquet(path: Path, text: str) -> None:
    pq.write_table(pa.table({"raw": [FILLER + text] * 20}), path, compression="zstd")


def warehouse(path: Path, text: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE told AS SELECT ? || range AS words FROM range(5000)", [FILLER + text]
        )


def log_of_sqlite(path: Path, text: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("CREATE TABLE told (words TEXT)")
    connection.execute("INSERT INTO told VALUES (?)", (text,))
    connection.commit()


def packed(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress((FILLER + text).encode()))


def basic_in_a_log(path: Path, text: str) -> None:
    pair = base64.b64encode(f"{text}:".encode()).decode()
    path.write_text(f"GET / Authorization: Basic {pair}\n", encoding="utf-8")


def within_base64(path: Path, text: str) -> None:
    path.write_bytes(base64.b64encode(f"some user:{text}:and more".encode()))


KINDS: list[Callable[[Path, str], None]] = [
    parquet, warehouse, log_of_sqlite, packed, basic_in_a_log, within_base64,
]  # fmt: skip


@pytest.mark.parametrize("write", KINDS, ids=lambda each: each.__name__)
def test_it_is_found_wherever_it_is_written(tmp_path: Path, write: Callable[[Path, str], None]) -> None:
    write(tmp_path / "kept", CANARY)
    found = hits({"TOKEN": CANARY}, contents(tmp_path))
    assert found and all(each.startswith("TOKEN in kept") for each in found)


@pytest.mark.parametrize("write", KINDS, ids=lambda each: each.__name__)
def test_another_one_is_not_taken_for_it(tmp_path: Path, write: Callable[[Path, str], None]) -> None:
    write(tmp_path / "kept", "canary-other-5b1e")
    assert hits({"TOKEN": CANARY}, contents(tmp_path)) == []
