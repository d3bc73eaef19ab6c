"""Bad files and lines of an extract: what costs a line, what costs the file, and what is read all the same."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from core.connections import Connection, load_connections
from ingestion.sorting import Counts
from tests.support.vendors import Intake

HEAD = b"id,customer,total,at\n"
GOOD = b"00042,C-1,10.50,2026-11-12 09:00:00\n"
MAPPING = """\
connection: extract
kind: erp
adapter: files
owner: tests
as_of: "2026-11-13T12:00:00+00:00"
{zone}options:
  folder: {folder}
  version: file
  tables: {{orders: {{files: "*", format: {format}}}}}
  resources:
    - resource: orders
      table: orders
      fields:
        order_id: id
        customer_id: customer
        currency: {{constant: EUR}}
        status: {{constant: confirmed}}
        ordered_at: {{column: at, formats: "%Y-%m-%d %H:%M:%S"}}
        net_total_amount: total
"""
BERLIN = "time_zone: Europe/Berlin\n"


def mapped(folder: Path, kind: str = "csv", zone: str = BERLIN, **options: str) -> Connection:
    text = MAPPING.format(folder=folder / "data", format=kind, zone=zone)
    for name, value in options.items():
        text = text.replace("  version: file\n", f"  version: file\n  {name}: {value}\n")
    (folder / "connections").mkdir(exist_ok=True)
    (folder / "connections" / "one.yaml").write_text(text, encoding="utf-8")
    return load_connections(folder / "connections")[0]


def put(folder: Path, name: str, content: bytes) -> None:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / name).write_bytes(content)


def counted(intake: Intake, connection: Connection) -> Counts:
    return intake.read_files(connection)["orders"]


LINES: dict[str, tuple[bytes, str]] = {
    "ragged row": (b"A-1,C-1,10", "FIELD_INVALID"),
    "invalid UTF-8": (b"A-2,C-\xff,10,2026-11-12 09:00:00", "TEXT_INVALID"),
    "1.234,56 without a locale": (b'A-3,C-1,"1.234,56",2026-11-12 09:00:00', "AMOUNT_INVALID"),
    "NaN": (b"A-4,C-1,NaN,2026-11-12 09:00:00", "AMOUNT_INVALID"),
    "infinity": (b"A-5,C-1,inf,2026-11-12 09:00:00", "AMOUNT_INVALID"),
    "1e309": (b"A-6,C-1,1e309,2026-11-12 09:00:00", "AMOUNT_INVALID"),
    "time in the gap": (b"A-7,C-1,10,2026-03-29 02:30:00", "TIME_GAP"),
    "year 0001": (b"A-8,C-1,10,0001-01-01 00:00:00", "TIME_INVALID"),
    "year 9999": (b"A-9,C-1,10,9999-12-31 00:00:00", "TIME_INVALID"),
    "epoch 0": (b"A-10,C-1,10,1970-01-01 01:00:00", "TIME_INVALID"),
    "no id": (b",C-1,10,2026-11-12 09:00:00", "FIELD_MISSING"),
    "zero-width space in an id": ("A\u200b12,C-1,10,2026-11-12 09:00:00".encode(), "ID_INVALID"),
    "NUL in an id": (b"A\x0013,C-1,10,2026-11-12 09:00:00", "ID_INVALID"),
}


def test_each_bad_line_costs_itself_and_keeps_its_bytes(fresh: Intake, tmp_path: Path) -> None:
    put(tmp_path, "orders.csv", HEAD + b"".join(line + b"\n" for line, _ in LINES.values()) + GOOD)
    counts = counted(fresh, mapped(tmp_path))
    assert (counts.rows_in, counts.loaded, counts.dead_lettered) == (len(LINES) + 1, 1, len(LINES))
    found = {each.raw: each.reason for each in fresh.letters()}
    assert found == dict(LINES.values())
    assert fresh.rows("erp", "orders", "00042")[0]["time_quality"] == "assumed_zone"


def test_a_time_that_comes_twice_is_kept_and_marked(fresh: Intake, tmp_path: Path) -> None:
    put(tmp_path, "orders.csv", HEAD + b"A,C-1,10,2026-10-25 02:30:00\nB,C-1,10,2026-10-25 03:00:00\n")
    assert counted(fresh, mapped(tmp_path)).loaded == 2
    marks = [fresh.rows("erp", "orders", each)[0]["time_quality"] for each in "AB"]
    assert marks == ["ambiguous", "assumed_zone"]


def test_a_time_without_a_zone_is_refused_where_none_is_configured(fresh: Intake, tmp_path: Path) -> None:
    put(tmp_path, "orders.csv", HEAD + GOOD)
    assert counted(fresh, mapped(tmp_path, zone="")).dead_lettered == 1
    [letter] = fresh.letters()
    assert (letter.reason, letter.raw) == ("TIME_NO_ZONE", GOOD.rstrip())


def test_a_declared_locale_reads_the_amount(fresh: Intake, tmp_path: Path) -> None:
    put(tmp_path, "orders.csv", HEAD + b'A,C-1,"1.234,56",2026-11-12 09:00:00\n')
    assert counted(fresh, mapped(tmp_path, decimal='","', thousands='"."')).loaded == 1
    assert str(fresh.rows("erp", "orders", "A")[0]["net_total_amount"]) == "1234.5600"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (HEAD + GOOD + b'A-1,"C-1,10,2026-11-12 09:00:00\n' + GOOD, "quote"),
        (b"id,customer,total,at,id\n" + GOOD.rstrip() + b",x\n", "more than once"),
    ],
    ids=["unclosed quote", "duplicate header"],
)
def test_a_file_that_cannot_be_trusted_is_refused_whole_and_its_neighbour_is_read(
    fresh: Intake, tmp_path: Path, content: bytes, word: str
) -> None:
    put(tmp_path, "bad.csv", content)
    put(tmp_path, "good.csv", HEAD + GOOD)
    counts = counted(fresh, mapped(tmp_path))
    assert (counts.rows_in, counts.loaded, counts.dead_lettered) == (2, 1, 1)
    [letter] = fresh.letters()
    assert letter.raw == content and word in letter.detail


def test_of_a_refused_file_that_is_too_large_hash_and_size_are_kept(fresh: Intake, tmp_path: Path) -> None:
    content = HEAD + b'A-1,"C-1,' + b"x" * (3 << 20)
    put(tmp_path, "bad.csv", content)
    assert counted(fresh, mapped(tmp_path)).dead_lettered == 1
    [letter] = fresh.letters()
    assert json.loads(letter.raw)["size"] == len(content)
    assert set(json.loads(letter.raw)) == {"file", "size", "sha256"}


def test_a_cell_of_100_megabytes_costs_its_file_alone(fresh: Intake, tmp_path: Path) -> None:
    put(
        tmp_path,
        "bad.csv.gz",
        gzip.compress(HEAD + b'A-1,"' + b"x" * (100 << 20) + b'",10,2026-11-12 09:00:00\n', 1),
    )
    put(tmp_path, "good.csv", HEAD + GOOD)
    counts = counted(fresh, mapped(tmp_path))
    assert (counts.loaded, counts.dead_lettered) == (1, 1)
    [letter] = fresh.letters()
    assert len(letter.raw) < 1000


JSON_LINES: dict[str, tuple[bytes, str]] = {
    "nested 10,000 deep": (b'{"id": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "FIELD_INVALID"),
    "a key twice": (b'{"id": "A", "id": "B", "customer": "C", "total": 1, "at": "2026-11-12 09:00:00"}', "FIELD_INVALID"),
    "leading-zero id as a number": (
        b'{"id": 42, "customer": "C", "total": 1, "at": "2026-11-12 09:00:00"}', "ID_INVALID"
    ),
    "id null": (b'{"id": null, "customer": "C", "total": 1, "at": "2026-11-12 09:00:00"}', "FIELD_MISSING"),
    "lone surrogate": (
        b'{"id": "A\\ud800", "customer": "C", "total": 1, "at": "2026-11-12 09:00:00"}', "ID_INVALID"
    ),
    "amount NaN": (b'{"id": "A", "customer": "C", "total": NaN, "at": "2026-11-12 09:00:00"}', "AMOUNT_INVALID"),
    "cut off": (b'{"id": "A", "customer": "C"', "FIELD_INVALID"),
    "a line of two megabytes": (
        b'{"id": "A", "customer": "C", "total": 1, "at": "2026-11-12 09:00:00", "note": "' + b"x" * (2 << 20) + b'"}',
        "FIELD_INVALID",
    ),
}  # fmt: skip


def test_each_bad_json_line_costs_itself_and_keeps_its_bytes(fresh: Intake, tmp_path: Path) -> None:
    good = b'{"id": "00042", "customer": "C", "total": 1.10, "at": "2026-11-12 09:00:00"}\n'
    put(tmp_path, "orders.jsonl", b"".join(line + b"\n" for line, _ in JSON_LINES.values()) + good)
    counts = counted(fresh, mapped(tmp_path, "jsonl"))
    assert (counts.loaded, counts.dead_lettered) == (1, len(JSON_LINES))
    found = {each.raw: each.reason for each in fresh.letters()}
    *kept, (large, reason) = JSON_LINES.values()
    assert {raw: each for raw, each in found.items() if b'"sha256"' not in raw} == dict(kept)
    [told] = [raw for raw in found if b'"sha256"' in raw]
    assert json.loads(told)["size"] == len(large) and found[told] == reason


def test_an_unknown_column_refuses_nothing_and_is_counted(fresh: Intake, tmp_path: Path) -> None:
    from state.source_fields import drift

    connection = mapped(tmp_path)
    put(tmp_path, "one.csv", HEAD + GOOD)
    counted(fresh, connection)
    assert drift(fresh.engine) == []
    put(tmp_path, "two.csv", HEAD.rstrip() + b",surprise\nB,C-1,10,2026-11-12 09:00:00,x\n")
    counts = counted(fresh, connection)
    assert (counts.loaded, counts.duplicate) == (1, 1)
    assert [(each.field, each.row_count) for each in drift(fresh.engine)] == [("surprise", 1)]
