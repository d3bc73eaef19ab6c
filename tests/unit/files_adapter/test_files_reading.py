"""Faults of a file cost what they must: a row, or the whole file; never a silence and never a stop."""

import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from core.errors import PermanentFailure, TransientFailure
from ingestion.files.extract import Extract
from ingestion.files.rows import Mapped

Read = Callable[..., list[Mapped]]
ITEMS = """\
  tables:
    items: {{files: items.{ext}{more}}}
  resources:
    - resource: items
      table: items
      fields: {{item_id: id, name: name, uom: {{constant: pcs}}}}
"""
CSV = ITEMS.format(ext="csv", more="")
JSONL = ITEMS.format(ext="jsonl", more="")
GOOD = "id,name\n007,Nut\n008,Bolt\n"


def fields(rows: list[Mapped]) -> list[tuple[str, str]]:
    return [(row.fields["item_id"], row.fields["name"]) for row in rows if not row.fault]


def faults(rows: list[Mapped]) -> list[tuple[str, str]]:
    return [row.fault for row in rows if row.fault]


def test_a_good_file_is_read_and_its_ids_stay_text(read: Read) -> None:
    assert fields(read(CSV, items__csv=GOOD)) == [("007", "Nut"), ("008", "Bolt")]


@pytest.mark.parametrize("line", ["9,Screw,extra", "9"])
def test_a_ragged_row_is_refused_alone(read: Read, line: str) -> None:
    rows = read(CSV, items__csv=f"{GOOD}{line}\n010,Pin\n")
    assert fields(rows) == [("007", "Nut"), ("008", "Bolt"), ("010", "Pin")]
    [(reason, detail)] = faults(rows)
    assert reason == "FIELD_INVALID"
    assert "items.csv:4: expected 2 cells" in detail
    assert [row.row.raw for row in rows if row.fault] == [line.encode()]


def test_bytes_that_are_no_utf8_cost_their_row(read: Read) -> None:
    rows = read(CSV, items__csv=GOOD.encode() + b"9,Stra\xdfe\n10,\xc3\xa9t\xc3\xa9\n")
    assert fields(rows)[-1] == ("10", "été")
    [(reason, _)] = faults(rows)
    assert reason == "TEXT_INVALID"
    assert b"9,Stra\xdfe" in [row.row.raw for row in rows]


def test_the_same_bytes_in_their_declared_encoding_are_fine(read: Read) -> None:
    rows = read(ITEMS.format(ext="csv", more=", encoding: cp1252"), items__csv=b"id,name\n9,Stra\xdfe\n")
    assert fields(rows) == [("9", "Straße")]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (GOOD + '9,"Screw\n10,Pin\n', "line 4"),
        (GOOD + '9,"Screw\n10,"Pin",x\n', "line 4"),
        ("id,name,id\n1,a,2\n", "the header names 'id' more than once"),
        ("", "no header"),
    ],
)
def test_a_broken_file_is_refused_whole_and_told(read: Read, text: str, seen: str) -> None:
    rows = read(CSV, items__csv=text)
    assert fields(rows) == []
    [(reason, detail)] = faults(rows)
    assert reason == "FIELD_INVALID"
    assert "items.csv: the whole file is refused" in detail
    assert seen in detail


def test_one_broken_file_does_not_stop_its_neighbour(read: Read) -> None:
    options = CSV.replace("items.csv", '"*.csv"')
    rows = read(options, a__csv="id,id\n1,2\n", b__csv=GOOD)
    assert len(fields(rows)) == 2
    assert len(faults(rows)) == 1


def test_quoted_line_ends_and_delimiters_are_part_of_the_cell(read: Read) -> None:
    rows = read(CSV, items__csv='\ufeffid,name\r\n1,"Nut, ""M4""\nlong"\r\n')
    assert fields(rows) == [("1", 'Nut, "M4"\nlong')]


def test_blank_rows_are_no_rows(read: Read, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "waybill.ingestion")
    rows = read(CSV, items__csv=GOOD + ",\n" * 89_000 + "\n , \n")
    assert len(rows) == 2
    assert "items.csv has 2 rows, 89002 blank rows skipped" in caplog.text


def test_a_preamble_and_a_missing_header_can_be_declared(read: Read) -> None:
    more = ', skip_lines: 1, columns: [id, name], delimiter: ";", trim: true'
    assert fields(read(ITEMS.format(ext="csv", more=more), items__csv="Stand 2026\n1; Nut\n")) == [
        ("1", "Nut")
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": "9", "name": ', "FIELD_INVALID"),
        ('["9", "Screw"]', "FIELD_INVALID"),
        ('{"id": "9", "id": "10", "name": "x"}', "FIELD_INVALID"),
        ("[" * 10_000, "FIELD_INVALID"),
        ('{"id": 9, "name": "Screw"}', "ID_INVALID"),
        ('{"id": "9"}', "FIELD_MISSING"),
    ],
)
def test_a_broken_json_line_is_refused_alone(read: Read, line: str, reason: str) -> None:
    good = '{"id": "007", "name": "Nut"}\n'
    rows = read(JSONL, items__jsonl=f"{good}\n{line}\n{good}")
    assert len(fields(rows)) == 2
    assert [each for each, _ in faults(rows)] == [reason]


def test_json_bytes_that_are_no_utf8_cost_their_line(read: Read) -> None:
    rows = read(JSONL, items__jsonl=b'{"id": "1", "name": "\xff"}\n{"id": "2", "name": "ok"}\n')
    assert fields(rows) == [("2", "ok")]
    assert faults(rows)[0][0] == "TEXT_INVALID"


def test_parquet_is_read_and_what_is_none_is_refused(read: Read, tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["007", None], "name": ["Nut", None]})
    frame.write_parquet(tmp_path / "items.parquet")
    options = ITEMS.format(ext="parquet", more="")
    rows = read(options, items__parquet=(tmp_path / "items.parquet").read_bytes())
    assert fields(rows) == [("007", "Nut")]
    assert len(rows) == 1
    [(_, detail)] = faults(read(options, items__parquet=b"PAR1 nonsense"))
    assert "not Parquet" in detail


def test_a_packed_file_is_unpacked(read: Read) -> None:
    options = ITEMS.format(ext="csv.gz", more="")
    assert len(fields(read(options, **{"items__csv__gz": gzip.compress(GOOD.encode())}))) == 2


@pytest.mark.parametrize("name", ["items.csv.gz", "items.jsonl.gz"])
def test_a_packed_file_that_is_cut_off_fails_as_a_source(read: Read, name: str) -> None:
    lines = (
        "id,name\n" + "".join(f"{n},{n * 7919}\n" for n in range(9000))
        if "csv" in name
        else "".join(f'{{"id": "{n}", "name": "{n * 7919}"}}\n' for n in range(9000))
    )
    whole = gzip.compress(lines.encode())
    options = ITEMS.format(ext=name.removeprefix("items."), more="")
    assert len(read(options, **{name.replace(".", "__"): whole})) == 9000
    with pytest.raises(TransientFailure, match="cannot be read to its end"):
        read(options, **{name.replace(".", "__"): whole[: len(whole) // 2]})


def test_a_column_that_the_file_lacks_is_named(read: Read) -> None:
    with pytest.raises(PermanentFailure, match=r"items.csv .* has no column 'name'; it has id, title"):
        read(CSV, items__csv="id,title\n1,Nut\n")
    with pytest.raises(PermanentFailure, match="has no column 'name'"):
        read(CSV, items__csv="id,title\n")


def test_a_missing_file_is_an_error_unless_it_is_optional(read: Read) -> None:
    with pytest.raises(PermanentFailure, match=r"no file fits items.csv .* \(table 'items'\)"):
        read(CSV, other__csv=GOOD)
    assert read(ITEMS.format(ext="csv", more=", optional: true"), other__csv=GOOD) == []


def test_a_missing_folder_is_named(write_mapping: Callable[..., Extract], tmp_path: Path) -> None:
    extract = write_mapping(CSV.replace("tables:", "tables:"), items__csv=GOOD)
    (tmp_path / "data" / "items.csv").unlink()
    (tmp_path / "data").rmdir()
    with pytest.raises(PermanentFailure, match=r"data does not exist"):
        list(extract.rows(extract.resources()[0]))


def test_any_fsspec_path_is_read_by_the_same_code(
    tmp_path: Path, write_mapping: Callable[..., Extract]
) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/extract/items.csv", GOOD.encode())
    head = "connection: acme\nkind: {kind}\nadapter: files\nowner: order-systems\n" + (
        "options:\n  folder: memory://extract\n"
    )
    extract = write_mapping(CSV, head=head)
    assert fields(list(extract.rows(extract.resources()[0]))) == [("007", "Nut"), ("008", "Bolt")]


def test_the_fingerprint_follows_files_and_mapping(
    write_mapping: Callable[..., Extract],
) -> None:
    extract = write_mapping(CSV, items__csv=GOOD)
    first = extract.fingerprint("items")
    assert Extract(extract.connection).fingerprint("items") == first
    assert write_mapping(CSV.replace("pcs", "box")).fingerprint("items") != first
    assert write_mapping(CSV, items__csv=GOOD + "9,Pin\n").fingerprint("items") != first
