"""Many rows at once: the border and the row hash for columns, with the same outcome as row by row.

Belongs here: proving that a whole table keeps its contract, and hashing its rows. Whatever cannot be proved
here is not refused here: its rows go one by one through ``border``, which knows the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from contracts.arrow import field_type
from contracts.base import Contract
from core.ids import sha256_hex
from ingestion.base import Columns, SourceRecord


class ColumnBorder:
    """Whether every row of a table keeps a contract whose fields are ids, words, instants, floats and flags.

    A field's own validator judges the words that occur, and of numbers and instants the least and the
    greatest: what a contract allows there is an interval. TypeError for a contract of other fields.
    """

    def __init__(self, contract: type[Contract]) -> None:
        if contract.__pydantic_decorators__.model_validators:
            raise TypeError(f"{contract.__name__} judges rows as a whole: check them one by one")
        self._fields = {
            name: (TypeAdapter[Any](_annotated(info)), not field_type(info)[1])
            for name, info in contract.model_fields.items()
        }
        for name, info in contract.model_fields.items():
            kind = field_type(info)[0]
            if not (pa.types.is_string(kind) or pa.types.is_boolean(kind) or _is_ordered(kind)):
                raise TypeError(f"{contract.__name__}.{name}: no column check for {kind}")

    def keeps(self, table: pa.Table) -> bool:
        """True when all rows keep the contract; False when at least one does not."""
        return all(
            _holds(table[name], validator, is_required=required)
            for name, (validator, required) in self._fields.items()
        )


def _annotated(info: FieldInfo) -> Any:
    return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation


def _is_ordered(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_timestamp(kind))


def _holds(column: pa.ChunkedArray, validator: TypeAdapter[Any], *, is_required: bool) -> bool:
    if is_required and column.null_count:
        return False
    if pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py():
        return False
    if _is_ordered(column.type):
        values = list(pc.min_max(column).as_py().values())
    else:
        values = pc.unique(column).to_pylist()
    try:
        for value in values:
            if value is not None:
                validator.validate_python(value)
    except ValidationError:
        return False
    return True


def row_hashes(table: pa.Table) -> list[str]:
    """Per row the SHA-256 of its canonical JSON: equal to ``sha256_hex(canonical_json(row))``."""
    names = sorted(table.column_names)
    columns = [_fragments(table[name]) for name in names]
    heads = [f"{',' if place else '{'}{json.dumps(name)}:" for place, name in enumerate(names)]
    pattern = "".join(f"{head.replace('{', '{{')}{{}}" for head in heads) + "}}"
    return [sha256_hex(text.encode()) for text in map(pattern.format, *columns)]


def _fragments(column: pa.ChunkedArray) -> Iterable[str]:
    """Each value as JSON text, as ``json.dumps(…, default=str)`` writes it."""
    if pa.types.is_timestamp(column.type):
        # Naive UTC instants come out of NumPy ten times faster than zoned ones out of Arrow.
        moments = column.cast(pa.timestamp("us")).to_numpy().tolist()
        return ["null" if each is None else f'"{each}+00:00"' for each in moments]
    values = column.to_pylist()
    if pa.types.is_floating(column.type):
        return ["null" if each is None else float.__repr__(each) for each in values]
    if pa.types.is_boolean(column.type):
        return [_WORDS[each] for each in values]
    if pa.types.is_string(column.type):
        known = {each: json.dumps(each, ensure_ascii=False) for each in set(values)}
        return [known[each] for each in values]
    raise TypeError(f"no JSON text for a column of {column.type}")


_WORDS = {True: "true", False: "false", None: "null"}


def source_ids(table: pa.Table, key: Sequence[str]) -> list[str]:
    """Per row the values of the key joined by ``|``, as ``border`` writes them."""
    parts = [_id_parts(table[name]) for name in key]
    return list(map("|".join, zip(*parts, strict=True)))


def _id_parts(column: pa.ChunkedArray) -> list[str]:
    if pa.types.is_timestamp(column.type):
        moments = column.cast(pa.timestamp("us")).to_numpy().tolist()
        return [f"{each.isoformat()}+00:00" for each in moments]
    return [str(each) for each in column.to_pylist()]


@dataclass(frozen=True)
class Plain:
    """Rows that kept their contract, with what the envelope needs beside them."""

    table: pa.Table
    source_ids: list[str]
    versions: Sequence[datetime]
    row_hashes: list[str]
    raws: Sequence[Mapping[str, Any] | bytes]


def split(columns: Columns, ids: list[str], odd: set[int]) -> tuple[Plain, list[SourceRecord]]:
    """All rows but the ``odd`` ones, hashed, and those as records."""
    records = [columns.record(row) for row in sorted(odd)]
    if not odd:
        return Plain(columns.table, ids, columns.versions, row_hashes(columns.table), columns.raws), records
    rows = [row for row in range(columns.table.num_rows) if row not in odd]
    table = columns.table.take(pa.array(rows, pa.int64()))
    versions, raws = [columns.versions[row] for row in rows], [columns.raws[row] for row in rows]
    return Plain(table, [ids[row] for row in rows], versions, row_hashes(table), raws), records
