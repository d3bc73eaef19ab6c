"""The Arrow schema that a contract implies: one place, so that landing, dlt and DuckDB agree on types.

Money and quantities are decimal128(18, 4), rates decimal128(18, 8), instants microseconds in UTC,
ids and texts are strings.
"""

from __future__ import annotations

import types
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

import pyarrow as pa
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

INSTANT = pa.timestamp("us", tz="UTC")
_SCALARS: dict[type, pa.DataType] = {
    str: pa.string(),
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    datetime: INSTANT,
    AwareDatetime: INSTANT,
    date: pa.date32(),
}


def _places(metadata: list[Any]) -> int:
    for constraint in metadata:
        places = getattr(constraint, "decimal_places", None)
        if places is not None:
            return int(places)
    return 4


def _unwrap(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any], bool]:
    """The bare type, all its metadata, and whether None is allowed."""
    nullable = False
    while True:
        if hasattr(annotation, "__metadata__"):
            metadata = [*metadata, *annotation.__metadata__]
            annotation = annotation.__origin__
        elif get_origin(annotation) in (Union, types.UnionType):
            inner = [arg for arg in get_args(annotation) if arg is not type(None)]
            nullable = len(inner) < len(get_args(annotation))
            annotation = inner[0]
        else:
            return annotation, metadata, nullable


def field_type(field: FieldInfo) -> tuple[pa.DataType, bool]:
    """Arrow type and nullability of one Pydantic field; TypeError for a type that has no column."""
    annotation, metadata, nullable = _unwrap(field.annotation, list(field.metadata))
    flat: list[Any] = []
    for each in metadata:
        flat.extend(each.metadata if isinstance(each, FieldInfo) else [each])
    if get_origin(annotation) is Literal:
        return pa.string(), nullable
    if annotation is Decimal:
        return pa.decimal128(18, _places(flat)), nullable
    for python_type, arrow_type in _SCALARS.items():
        if annotation is python_type:
            return arrow_type, nullable
    raise TypeError(f"no Arrow type for {annotation!r}")


def schema_of(*models: type[BaseModel]) -> pa.Schema:
    """One Arrow schema from the fields of one or more models, in order."""
    fields: list[pa.Field] = []
    for model in models:
        for name, field in model.model_fields.items():
            arrow_type, nullable = field_type(field)
            fields.append(pa.field(name, arrow_type, nullable=nullable))
    return pa.schema(fields)
