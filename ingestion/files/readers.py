"""CSV, JSON lines and Parquet as rows of cells; nothing is guessed, a CSV cell stays text.

Belongs here: what a file can be like, and which faults cost a row and which the whole file. What a cell
means is in ``values.py``.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, Any

from ingestion.files.mapping import Table
from ingestion.strict_json import LARGEST_ROW, fault_of

Cell = Any
"""str from CSV; also int, Decimal, float, bool, date, datetime or a list from JSON and Parquet."""

_RAGGED, _BYTES, _SYNTAX = "FIELD_INVALID", "TEXT_INVALID", "FIELD_INVALID"


class FileRefused(Exception):
    """The file as a whole cannot be trusted: none of its rows is used."""


@dataclass(slots=True)
class Row:
    """One row: where it stands, and its cells by column. ``fault`` is (reason, detail) of an unusable row."""

    place: str
    cells: dict[str, Cell]
    raw: bytes = b""
    fault: tuple[str, str] | None = None


@dataclass
class Narration:
    """What is not a row but worth telling."""

    rows: int = 0
    blank: int = 0
    columns: list[str] = field(default_factory=list)


def format_of(table: Table, name: str) -> str:
    """The declared format, else what the file's name says; FileRefused when neither does."""
    if table.format:
        return table.format
    stem = name.lower().removesuffix(".gz").removesuffix(".zst").removesuffix(".bz2")
    known = {
        "csv": "csv",
        "tsv": "csv",
        "txt": "csv",
        "jsonl": "jsonl",
        "ndjson": "jsonl",
        "parquet": "parquet",
    }
    found = known.get(stem.rsplit(".", 1)[-1])
    if found is None:
        raise FileRefused("its name does not say whether it is CSV, JSON lines or Parquet; declare `format`")
    return found


def read_rows(
    handle: IO[bytes], name: str, table: Table, told: Narration, *, checked: bool = False
) -> Iterator[Row]:
    """Every row of one open file. FileRefused comes before the first row, never in the middle; ``checked``
    spares the pass that makes sure of it."""
    kind = format_of(table, name)
    if kind == "parquet":
        yield from _parquet(handle, name, told)
    elif kind == "jsonl":
        yield from _json_lines(handle, name, told)
    else:
        yield from _csv(handle, name, table, told, checked=checked)


class _Lines:
    """Lines of a text file that remembers which ones the CSV reader took for its last row."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self.taken.append(line)
        return line


def _csv(handle: IO[bytes], name: str, table: Table, told: Narration, *, checked: bool) -> Iterator[Row]:
    """Read twice: a quote that never closes spoils rows long before the end shows it."""
    if not checked:
        for _ in _csv_rows(handle, name, table, Narration(), checking=True):
            pass
        handle.seek(0)
    yield from _csv_rows(handle, name, table, told, checking=False)


def _csv_rows(
    handle: IO[bytes], name: str, table: Table, told: Narration, *, checking: bool
) -> Iterator[Row]:
    text = io.TextIOWrapper(handle, encoding=table.encoding, errors="surrogateescape", newline="")
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=table.delimiter, quotechar=table.quote, strict=True)
    try:
        for _ in range(table.skip_lines):
            next(lines, None)
        header = list(table.columns) if table.columns else _header(next(reader, []))
        told.columns = [column for column in header if column]
        first = 0
        while True:
            lines.taken.clear()
            first = lines.number + 1
            cells = next(reader, None)
            if cells is None:
                break
            if not checking:
                yield from _csv_row(f"{name}:{first}", header, cells, lines.taken, table, told)
    except csv.Error as error:
        raise FileRefused(f"line {first}: {error} (a quote that is not closed, or stands alone)") from error
    except UnicodeError as error:
        raise FileRefused(f"it is not {table.encoding}: {error}") from error
    finally:
        text.detach()


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = sorted({each for each in names if each and names.count(each) > 1})
    if twice:
        raise FileRefused(f"the header names {', '.join(map(repr, twice))} more than once")
    if not any(names):
        raise FileRefused("it has no header")
    return names


def _csv_row(
    place: str, header: list[str], cells: list[str], lines: list[str], table: Table, told: Narration
) -> Iterator[Row]:
    if not any(cells) or not any(cell.strip() for cell in cells):
        told.blank += 1
        return
    told.rows += 1
    raw = "".join(lines)
    fault = None
    if len(cells) != len(header):
        fault = (_RAGGED, f"{place}: expected {len(header)} cells, found {len(cells)}")
    elif not raw.isascii() and any("\udc80" <= char <= "\udcff" for char in raw):
        fault = (_BYTES, f"{place}: bytes that are not {table.encoding}")
    if table.trim:
        cells = [cell.strip() for cell in cells]
    if fault is None:
        yield Row(place, dict(zip(header, cells, strict=True)), _encode(raw, table.encoding))
    else:
        yield Row(place, {}, _encode(raw, table.encoding), fault)


def _encode(text: str, encoding: str) -> bytes:
    plain = "utf-8" if codecs.lookup(encoding).name.startswith("utf-8") else encoding
    return text.rstrip("\r\n").encode(plain, "surrogateescape")


def _json_lines(handle: IO[bytes], name: str, told: Narration) -> Iterator[Row]:
    for number, line in enumerate(handle, start=1):
        if not line.strip():
            told.blank += 1
            continue
        told.rows += 1
        place = f"{name}:{number}"
        raw = line.rstrip(b"\r\n")
        try:
            value = json.loads(
                raw.decode("utf-8-sig" if number == 1 else "utf-8"),
                parse_float=Decimal,
                object_pairs_hook=_no_key_twice,
            )
            if not isinstance(value, dict):
                raise TypeError("expected an object")
            if len(raw) > LARGEST_ROW:
                raise ValueError(f"{len(raw)} bytes, more than {LARGEST_ROW}")
            if (fault := fault_of(value)) is not None:
                raise ValueError(fault)
        except UnicodeDecodeError as error:
            yield Row(place, {}, raw, (_BYTES, f"{place}: not UTF-8: {error.reason}"))
        except (ValueError, TypeError, RecursionError) as error:
            yield Row(place, {}, raw, (_SYNTAX, f"{place}: not a JSON object: {str(error)[:200]}"))
        else:
            yield Row(place, flatten(value), raw)


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def flatten(value: dict[str, Any], prefix: str = "") -> dict[str, Cell]:
    """Nested objects as ``outer.inner``; lists stay lists, for ``each``."""
    flat: dict[str, Cell] = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            flat.update(flatten(inner, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = inner
    return flat


def _parquet(handle: IO[bytes], name: str, told: Narration) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(handle)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileRefused(f"it is not Parquet: {str(error)[:200]}") from error
    told.columns = list(file.schema_arrow.names)
    repeated = sorted({each for each in told.columns if told.columns.count(each) > 1})
    if repeated:
        raise FileRefused(f"it has {', '.join(map(repr, repeated))} more than once")
    try:
        for batch in file.iter_batches(batch_size=8192):
            for cells in _microseconds(pa.Table.from_batches([batch])).to_pylist():
                if all(value is None for value in cells.values()):
                    told.blank += 1
                    continue
                told.rows += 1
                yield Row(f"{name}:{told.rows + told.blank}", flatten(cells))
    except pa.ArrowInvalid as error:
        raise OSError(str(error)[:200]) from error


def _microseconds(table: Any) -> Any:
    """Nanoseconds, which Python's datetime cannot hold, cut to microseconds."""
    import pyarrow as pa

    fields = [
        pa.field(each.name, pa.timestamp("us", each.type.tz)) if pa.types.is_timestamp(each.type) else each
        for each in table.schema
    ]
    return table.cast(pa.schema(fields), safe=False)
