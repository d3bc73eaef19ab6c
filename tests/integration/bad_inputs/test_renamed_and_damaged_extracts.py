"""The real extracts under other names, in other cases, in several parts, packed; and with a damaged column of dates."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from core.connections import load_connections
from core.settings import ROOT
from ingestion.files.extract import Extract

DATA = ROOT.parent / "shared" / "data"
EXAMPLES = ROOT / "connections" / "examples"
MESSY = DATA / "olist" / "messy_orders" / "olist_orders_dataset.csv"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real data is not at ../shared/data: nothing to compare with"
)
COMPANIES = {
    "scms": ("SCMS_DIR", "scms"),
    "delhivery": ("DELHIVERY_DIR", "delhivery"),
    "truck": ("TRUCK_DIR", "gps_fleet_tajo"),
    "olist": ("OLIST_DIR", "olist/dev_slice"),
}
Put = Callable[[Path, bytes], None]


def read(example: str) -> Counter[str]:
    """How many rows each resource has, and how many of them are faulty."""
    counts: Counter[str] = Counter()
    for connection in load_connections(EXAMPLES / example):
        extract = Extract(connection)
        for resource in extract.resources():
            for row in extract.rows(resource):
                counts[
                    f"{connection.connection}.{resource.name}{'!' + row.fault[0] if row.fault else ''}"
                ] += 1
    return counts


def renamed(path: Path, content: bytes) -> None:
    (path.parent / f"Copy of {path.stem.upper()} (1){path.suffix.upper()}").write_bytes(content)


def packed(path: Path, content: bytes) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content, 1))


def in_parts(path: Path, content: bytes) -> None:
    """Two files; each part of a CSV has the header."""
    lines = content.splitlines(keepends=True)
    head, rows = ([], lines) if path.suffix == ".jsonl" else (lines[:1], lines[1:])
    half = len(rows) // 2
    path.with_name(f"{path.stem}_part1{path.suffix}").write_bytes(b"".join(head + rows[:half]))
    path.with_name(f"{path.stem}_part2{path.suffix}").write_bytes(b"".join(head + rows[half:]))


@pytest.mark.parametrize("put", [renamed, packed, in_parts])
@pytest.mark.parametrize("example", COMPANIES)
def test_a_file_of_another_name_is_read_like_the_original(
    example: str, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable, folder = COMPANIES[example]
    monkeypatch.setenv(variable, str(DATA / folder))
    expected = read(example)
    for path in (DATA / folder).iterdir():
        put(tmp_path / path.name, path.read_bytes())
    (tmp_path / ".DS_Store").write_bytes(b"\x00not a table")
    monkeypatch.setenv(variable, str(tmp_path))
    assert read(example) == expected and expected.total() > 36
    assert not any("!" in each for each in expected)


def purchases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[datetime], str]
) -> Counter[str]:
    """What becomes of the messy copy's orders when an export writes their purchase times in its own way."""
    with MESSY.open(encoding="utf-8-sig", newline="") as file:
        rows = [each for _, each in zip(range(4000), csv.DictReader(file), strict=False)]
    with (tmp_path / MESSY.name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            at = datetime.strptime(row["order_purchase_timestamp"], "%m/%d/%Y %H:%M")  # noqa: DTZ007
            writer.writerow(row | {"order_purchase_timestamp": change(at)})
    monkeypatch.setenv("OLIST_DIR", str(tmp_path))
    found = read("olist")
    return Counter({name.partition("!")[2] or "read": n for name, n in found.items() if ".orders" in name})


def test_the_messy_copy_as_it_is_has_sound_dates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert purchases(tmp_path, monkeypatch, lambda at: f"{at:%m/%d/%Y %H:%M}") == {"read": 4000}


def test_days_and_months_exchanged_in_the_messy_copy_are_reported_and_no_row_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert purchases(tmp_path, monkeypatch, lambda at: f"{at:%d/%m/%Y %H:%M}") == {"DATES_DAMAGED": 4000}


def test_days_and_months_exchanged_where_the_day_is_small_are_reported_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one quarter only: over whole years such dates look like any others."""

    def exported(at: datetime) -> str:
        at = at.replace(year=2018, month=(at.month - 1) % 3 + 1, day=min(at.day, 28))
        return f"{at:%Y-%d-%m %H:%M:%S}" if at.day <= 12 else f"{at:%Y-%m-%d %H:%M:%S}"

    assert purchases(tmp_path, monkeypatch, exported) == {"DATES_DAMAGED": 4000}
