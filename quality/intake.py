"""Candidates as they come, made into a table of exactly the contract's columns, before anything judges them.

What does not fit its column (NaN, infinity, a binary float as money, a time without a zone) becomes NULL
and is remembered as unfit, so that it can never pass as a value. No rule stands here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa

from contracts.arrow import schema_of
from contracts.exception_alert import ExceptionAlertCandidate
from contracts.fulfilment import FulfilmentCandidate
from contracts.invoice import InvoiceCandidate
from core.flows import EXCEPTION_ALERT, FULFILMENT, INVOICE

OWN: Mapping[str, pa.Schema] = {
    FULFILMENT.operation: schema_of(FulfilmentCandidate),
    INVOICE.operation: schema_of(InvoiceCandidate),
    EXCEPTION_ALERT.operation: schema_of(ExceptionAlertCandidate),
}
"""Operation → the columns that its candidates have; the others of the frame are empty and asked by none of its rules."""
SCHEMA: pa.Schema = pa.unify_schemas(list(OWN.values()))
"""The columns of the frame: those of every flow's candidates."""
IDENTITY = ("business_id", "revision", "shipment_no", "as_of", "input_hash", "content_hash")
"""Without these there is nothing a verdict could be recorded for."""


@dataclass(frozen=True)
class Intake:
    """``table``: the contract's columns plus ``row_no``; ``unfit``: per row what cannot be judged;
    ``missing``: columns that the batch does not have."""

    table: pa.Table
    unfit: tuple[tuple[str, ...], ...]
    missing: tuple[str, ...]


def conform(candidates: pa.Table | Sequence[Mapping[str, Any]], operation: str = INVOICE.operation) -> Intake:
    """Any batch as the contract's columns. Extra columns are dropped; nothing raises on a bad value."""
    if isinstance(candidates, pa.Table):
        count, present = candidates.num_rows, set(candidates.column_names)
    else:
        count, present = len(candidates), {key for row in candidates for key in row}
    own = OWN[operation]
    missing = tuple(name for name in own.names if name not in present)
    unfit: list[list[str]] = [[] for _ in range(count)]
    columns = []
    for each in SCHEMA:
        if each.name not in own.names:
            columns.append(pa.nulls(count, each.type))
            continue
        field = own.field(each.name)
        if field.name in missing:
            columns.append(pa.nulls(count, field.type))
            for row in unfit:
                row.append(f"{field.name} (no such column)")
            continue
        column = _column(candidates, field)
        _note_unfit(column, candidates, field, unfit)
        columns.append(column)
    names = [*SCHEMA.names, "row_no"]
    table = pa.table([*columns, pa.array(range(count), pa.int64())], names=names)
    return Intake(table, tuple(tuple(row) for row in unfit), missing)


def _column(candidates: pa.Table | Sequence[Mapping[str, Any]], field: pa.Field) -> Any:
    """The column in the contract's type; what does not fit is NULL."""
    if isinstance(candidates, pa.Table):
        column = candidates.column(field.name)
        if _same_family(column.type, field.type):
            try:
                return column.cast(field.type).combine_chunks()
            except pa.ArrowInvalid:
                pass  # some value does not fit: find out which, one by one
    return pa.array(
        [_convert(value, field.type) for value in _values(candidates, field.name)], type=field.type
    )


def _values(candidates: pa.Table | Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    if isinstance(candidates, pa.Table):
        values: list[Any] = candidates.column(name).to_pylist()
        return values
    return [row.get(name) for row in candidates]


def _same_family(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Types between which Arrow's checked cast changes no value; a time without zone is none."""
    families = (pa.types.is_decimal, pa.types.is_integer, pa.types.is_boolean, pa.types.is_date32)
    if any(family(found) and family(wanted) for family in families):
        return True
    if pa.types.is_timestamp(found) and pa.types.is_timestamp(wanted):
        return found.tz is not None
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_null)
    return pa.types.is_string(wanted) and any(text(found) for text in texts)


def _convert(value: Any, wanted: pa.DataType) -> Any:  # noqa: PLR0911 - one line per type
    """``value`` when it is of the type, else None."""
    if pa.types.is_string(wanted):
        return str(value) if isinstance(value, str | UUID) else None
    if pa.types.is_boolean(wanted):
        return value if isinstance(value, bool) else None
    if pa.types.is_timestamp(wanted):
        aware = isinstance(value, datetime) and value.tzinfo is not None
        return value.astimezone(UTC) if aware else None
    if pa.types.is_date(wanted):
        return value if isinstance(value, date) and not isinstance(value, datetime) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    # A signalling NaN can be asked for nothing but this.
    if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        return None
    if pa.types.is_floating(wanted):
        return float(value)
    if isinstance(value, float):
        return None
    if pa.types.is_integer(wanted):
        return int(value) if value == int(value) else None
    return _fitting(Decimal(value), wanted)


def _fitting(value: Decimal, wanted: pa.DataType) -> Decimal | None:
    """The amount when the column can hold it without rounding."""
    try:
        pa.array([value], type=wanted)
    except pa.ArrowInvalid:
        return None
    return value


def _note_unfit(
    column: Any, candidates: pa.Table | Sequence[Mapping[str, Any]], field: pa.Field, unfit: list[list[str]]
) -> None:
    """Remember rows whose value was lost, and rows that lack what the contract always has."""
    if column.null_count == 0:
        return
    empty = column.is_null().to_pylist()
    values = _values(candidates, field.name)
    for row_no, is_empty in enumerate(empty):
        if is_empty and values[row_no] is not None:
            unfit[row_no].append(f"{field.name} ({values[row_no]!r:.40})")
        elif is_empty and not field.nullable:
            unfit[row_no].append(f"{field.name} (unknown)")
