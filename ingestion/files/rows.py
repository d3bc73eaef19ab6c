"""One row of a table as one row of a resource: the mapping, made ready to run once per file row.

Belongs here: origins of values (column, template …), word lists, look-ups, and the one row that is kept of several. Reading
files, comparing cells (``cells.py``) and converting them are in the neighbouring modules; whether the result is acceptable
is the contract's business, checked where all rows cross the border.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.base import Contract
from contracts.erp import Order
from ingestion.files.cells import Cells, compared, condition_test, null_test, number_of, word_of
from ingestion.files.mapping import (
    FieldMapping,
    FilesOptions,
    Keep,
    ResourceMapping,
    Span,
    placeholders,
    style_of,
)
from ingestion.files.readers import Cell, Row, flatten
from ingestion.files.values import Clockwork, Converter, Refused, converter

_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600}
Kept = tuple[Row, datetime | None]
"""A row of a file with the version that the file implies."""
Index = dict[tuple[str, ...], dict[str, Cell] | None]
"""A look-up table by its key; None where several different rows have one key."""


@dataclass(slots=True)
class Mapped:
    """What became of a row. ``fault`` is (reason, detail); then ``fields`` holds what could be read."""

    row: Row
    fields: dict[str, Any] = field(default_factory=dict)
    version: datetime | None = None
    fault: tuple[str, str] | None = None


class RowMapper:
    """A ``ResourceMapping`` compiled against its contract."""

    def __init__(
        self,
        mapping: ResourceMapping,
        contract: type[Contract],
        options: FilesOptions,
        time_zone: str | None,
        indexes: Mapping[str, Index],
        damaged: Mapping[str, str],
    ) -> None:
        table = options.tables[mapping.table]
        self._mapping = mapping
        self._nulls = frozenset(options.nulls)
        self._tests = [condition_test(each, self._cell) for each in mapping.where]
        self._indexes = indexes
        self._damaged = damaged
        self._fields: list[tuple[str, bool, Callable[[Cells, Clockwork], Any]]] = []
        for name, each in mapping.fields.items():
            info = contract.model_fields[name]
            convert = converter(name, info, style_of(each, table, options, time_zone))
            self._fields.append((name, info.is_required(), self._reader(each, convert)))
        self._notes_quality = "time_quality" in contract.model_fields and "time_quality" not in mapping.fields
        self._version: Callable[[Cells, Clockwork], Any] | None = None
        if mapping.version:
            convert = converter(
                "version",
                Order.model_fields["ordered_at"],
                style_of(mapping.version, table, options, time_zone),
            )
            self._version = self._reader(mapping.version, convert)

    def rows(self, row: Row) -> Iterator[Mapped]:
        """The rows of the resource that one file row gives: none when filtered, several by ``each``."""
        if row.fault:
            yield Mapped(row, fault=row.fault)
            return
        for single in _split(row, self._mapping.each):
            fault = single.fault or self._look_up(single)
            try:
                if fault is None and not all(test(single.cells) for test in self._tests):
                    continue
            except Refused as error:
                fault = (error.reason, error.detail)
            yield self._map(single, fault)

    def _map(self, row: Row, fault: tuple[str, str] | None) -> Mapped:
        mapped = Mapped(row, fault=fault)
        clock = Clockwork()
        for name, required, read in self._fields:
            try:
                value = read(row.cells, clock)
                if value is not None:
                    mapped.fields[name] = value
                elif required:
                    raise Refused("FIELD_MISSING", "no value")
            except Refused as error:
                mapped.fault = mapped.fault or (error.reason, f"{row.place}: {name}: {error.detail}")
        if self._notes_quality:
            mapped.fields["time_quality"] = clock.worst
        if self._version:
            try:
                mapped.version = self._version(row.cells, Clockwork())
                if mapped.version is None:
                    raise Refused("FIELD_MISSING", "no value")
            except Refused as error:
                mapped.fault = mapped.fault or (error.reason, f"{row.place}: version: {error.detail}")
        return mapped

    def _look_up(self, row: Row) -> tuple[str, str] | None:
        for name, lookup in self._mapping.lookup.items():
            cells = [self._cell(row.cells, own) for own in lookup.match.values()]
            if any(cell is None for cell in cells):
                continue
            key = tuple(compared(cell) for cell in cells)
            found = self._indexes[name].get(key, {})
            if found is None:
                return "FIELD_INVALID", f"{row.place}: several rows of {lookup.table} match {'|'.join(key)}"
            row.cells.update(found)
        return None

    def _cell(self, cells: Cells, column: str) -> Cell:
        cell = cells.get(column)
        return None if isinstance(cell, str) and cell.strip() in self._nulls else cell

    def _sound(self, cells: Cells, column: str) -> Cell:
        """The cell, unless its whole column is damaged."""
        cell = self._cell(cells, column)
        if cell is not None and column in self._damaged:
            raise Refused("DATES_DAMAGED", f"column {column!r}: {self._damaged[column]}")
        return cell

    def _reader(self, field: FieldMapping, convert: Converter) -> Callable[[Cells, Clockwork], Any]:
        origin = self._origin(field)
        words = None if field.map is None else {compared(word): to for word, to in field.map.items()}
        is_null = null_test(field)
        has_otherwise = "otherwise" in field.model_fields_set

        def read(cells: Cells, clock: Clockwork) -> Any:
            cell = origin(cells)
            if is_null(cell):
                cell = None
            if words is not None and cell is not None:
                word = compared(cell)
                if word not in words and not has_otherwise:
                    raise Refused("STATUS_UNKNOWN", f"{word[:80]!r} is none of: {', '.join(words)}")
                cell = words.get(word, field.otherwise)
            if cell is None:
                cell = field.default
            if cell is None:
                return None
            own = self._cell(cells, field.time_zone_column) if field.time_zone_column else None
            value = convert(cell, own, clock)
            return value if field.plus is None else value + self._span(cells, field.plus)

        return read

    def _span(self, cells: Cells, span: Span) -> timedelta:
        cell = self._cell(cells, span.column)
        number = number_of(cell)
        if number is None:
            raise Refused("TIME_INVALID", f"{span.column}: {cell!r} is no number of {span.unit}")
        return timedelta(seconds=float(number * _SECONDS[span.unit]))

    def _origin(self, field: FieldMapping) -> Callable[[Cells], Cell]:
        if field.column:
            column = field.column
            return lambda cells: self._sound(cells, column)
        if field.first_of:
            return lambda cells: next(
                (cell for each in field.first_of if (cell := self._sound(cells, each)) is not None), None
            )
        if field.template:
            return self._template(field.template)
        return lambda _: field.constant

    def _template(self, template: str) -> Callable[[Cells], Cell]:
        pieces = placeholders(template)

        def fill(cells: Cells) -> str | None:
            """None as soon as one part is missing: half a key is no key."""
            text = ""
            for place, piece in enumerate(pieces):
                cell = self._cell(cells, piece) if place % 2 else piece
                if cell is None:
                    return None
                text += word_of(cell)
            return text

        return fill


def largest_of(rows: Iterator[Kept], keep: Keep) -> Iterator[Kept]:
    """Of each group the row with the greatest number, in the order of the groups; what has no number is refused."""
    groups: dict[tuple[str, ...], tuple[Decimal, Kept]] = {}
    for kept in rows:
        row, version = kept
        number = number_of(row.cells.get(keep.largest))
        if row.fault or number is None:
            detail = f"{row.place}: {keep.largest}: {row.cells.get(keep.largest)!r} is no number"
            yield Row(row.place, row.cells, row.raw, row.fault or ("FIELD_INVALID", detail)), version
            continue
        group = tuple(compared(row.cells.get(each)) for each in keep.per)
        if group not in groups or number > groups[group][0]:
            groups[group] = number, kept
    yield from (kept for _, kept in groups.values())


def index_rows(
    rows: Iterator[Row], name: str, keys: list[str], columns: set[str], nulls: frozenset[str]
) -> Index:
    """A look-up table in memory, only with the columns that are asked for (as ``name.column``)."""
    index: Index = {}
    for row in rows:
        cells = [row.cells.get(each) for each in keys]
        if row.fault or any(cell is None or word_of(cell) in nulls for cell in cells):
            continue
        key = tuple(compared(cell) for cell in cells)
        kept = {f"{name}.{each}": row.cells.get(each) for each in columns}
        index[key] = kept if index.get(key, kept) == kept else None
    return index


def _split(row: Row, each: str | None) -> Iterator[Row]:
    if each is None:
        yield Row(row.place, dict(row.cells), row.raw)
        return
    inner = row.cells.get(each) or []
    if not isinstance(inner, list):
        yield Row(row.place, {}, row.raw, ("FIELD_INVALID", f"{row.place}: {each} is not a list"))
        return
    for number, element in enumerate(inner):
        cells = {name: cell for name, cell in row.cells.items() if name != each}
        cells |= flatten(element, f"{each}.") if isinstance(element, dict) else {each: element}
        yield Row(f"{row.place}[{number}]", cells)
