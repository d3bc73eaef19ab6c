"""The mapping language of the ``files`` adapter: what may stand under ``options:`` of a connection file.

Belongs here: the shape of the YAML, and what a part of it says for the fields that it is about. Whether it fits the contracts
is ``mapping_checks.py``'s, how a value is read from a cell ``values.py``'s; docs/adding-a-source.md teaches the language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

import pyarrow as pa
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from contracts.arrow import field_type
from contracts.base import Contract
from core.connections import Connection
from ingestion.files.values import Style

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
Scalar = str | int | bool | Decimal | None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _scalar(value: object) -> object:
    """YAML's own numbers and dates, back to the text that stood in the file as nearly as possible."""
    if value is None or isinstance(value, str | int | bool | Decimal):
        return value
    if isinstance(value, list | dict):
        raise ValueError("a single value")
    return str(value)


def _pattern(value: object) -> object:
    if isinstance(value, str):
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"a regular expression ({error})") from error
    return value


def _short_form(value: object) -> object:
    """A bare text is a column."""
    return {"column": value} if isinstance(value, str) else value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Constant = Annotated[Scalar, BeforeValidator(_scalar)]
Regex = Annotated[str, BeforeValidator(_pattern)]
Formats = Annotated[tuple[str, ...], BeforeValidator(_as_list)]


class Table(_Strict):
    """One sort of file: where it lies and how it is written. Marks left out come from ``options``."""

    files: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    rows: tuple[dict[str, Constant], ...] | None = None
    format: Literal["csv", "jsonl", "parquet"] | None = None
    encoding: str = "utf-8-sig"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', min_length=1, max_length=1)
    columns: tuple[str, ...] | None = None
    skip_lines: int = Field(default=0, ge=0)
    optional: bool = False
    trim: bool = False
    decimal: Literal[".", ","] | None = None
    thousands: Literal[".", ",", " ", "'", "\u00a0", "\u202f"] | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Table:
        if bool(self.files) == (self.rows is not None):
            raise ValueError("either `files` or `rows`")
        return self


class Span(_Strict):
    """A length of time that stands in a column, in a declared unit."""

    column: str
    unit: Literal["seconds", "minutes", "hours"]


class FieldMapping(_Strict):
    """How one contract field is filled: exactly one origin, then what is done with the cell."""

    column: str | None = None
    first_of: tuple[str, ...] = ()
    template: str | None = None
    constant: Constant = None
    map: dict[str, Constant] | None = None
    otherwise: Constant = None
    default: Constant = None
    nulls: tuple[str, ...] | None = None
    nulls_matching: Regex | None = None
    formats: Formats = ()
    time_zone: str | None = None
    time_zone_column: str | None = None
    day: bool = False
    from_number: bool = False
    plus: Span | None = None
    multiply_by: Decimal | None = None
    round: int | None = Field(default=None, ge=0, le=8)

    @model_validator(mode="after")
    def _one_origin(self) -> FieldMapping:
        given = [bool(self.column), bool(self.first_of), bool(self.template), self.constant is not None]
        if sum(given) != 1:
            raise ValueError("exactly one of column, first_of, template, constant")
        return self

    def columns(self) -> Iterator[str]:
        """Every column the field reads, in order."""
        yield from [self.column] if self.column else []
        yield from self.first_of
        yield from _PLACEHOLDER.findall(self.template or "")
        yield from [self.time_zone_column] if self.time_zone_column else []
        yield from [self.plus.column] if self.plus else []


class Condition(_Strict):
    """A row is taken only when the cell fulfils every test given here."""

    column: str
    equals: Constant = None
    one_of: tuple[str, ...] | None = None
    none_of: tuple[str, ...] | None = None
    present: bool | None = None
    matches: Regex | None = None
    matches_not: Regex | None = None

    @model_validator(mode="after")
    def _tests_something(self) -> Condition:
        if len(self.model_fields_set) < 2:
            raise ValueError("a test: equals, one_of, none_of, present, matches or matches_not")
        return self


class Lookup(_Strict):
    """Another table's row, found by equal cells; its columns are then written ``<name>.<column>``."""

    table: str
    match: dict[str, str] = Field(min_length=1)


class Keep(_Strict):
    """Of all rows with equal cells in ``per``, only the one whose number in ``largest`` is the greatest."""

    per: tuple[str, ...] = Field(min_length=1)
    largest: str


Mapping = Annotated[FieldMapping, BeforeValidator(_short_form)]


class ResourceMapping(_Strict):
    """Rows of one table as rows of one resource."""

    resource: str
    table: str
    each: str | None = None
    lookup: dict[str, Lookup] = Field(default_factory=dict)
    where: tuple[Condition, ...] = ()
    keep: Keep | None = None
    version: Mapping | None = None
    fields: dict[str, Mapping] = Field(min_length=1)

    def columns(self) -> Iterator[str]:
        """Every column that is read, from the table itself or (``name.column``) from a look-up."""
        yield from (each.column for each in self.where)
        yield from (*self.keep.per, self.keep.largest) if self.keep else ()
        for other in self.lookup.values():
            yield from other.match.values()
        for field in [*self.fields.values(), *([self.version] if self.version else [])]:
            yield from field.columns()


class FilesOptions(_Strict):
    """``options:`` of a connection whose adapter is ``files``."""

    folder: str = Field(min_length=1)
    storage: dict[str, str | int | bool] = Field(default_factory=dict)
    nulls: tuple[str, ...] = ("",)
    formats: Formats = ("iso",)
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'", "\u00a0", "\u202f"] | None = None
    version: Literal["extract", "file"] = "extract"
    tables: dict[str, Table] = Field(min_length=1)
    resources: tuple[ResourceMapping, ...] = Field(min_length=1)


def zone_of(connection: Connection) -> str | None:
    """The zone of times that name none; None when the file does not declare one."""
    return connection.time_zone if "time_zone" in connection.model_fields_set else None


def style_of(field: FieldMapping, table: Table, options: FilesOptions, time_zone: str | None) -> Style:
    """How a field's cells are written: its own word, else the table's, else the connection's."""
    return Style(
        decimal=table.decimal or options.decimal,
        thousands=table.thousands or options.thousands,
        formats=field.formats or options.formats,
        time_zone=field.time_zone or time_zone,
        day=field.day,
        from_number=field.from_number,
        multiply_by=field.multiply_by,
        round=field.round,
    )


def date_columns(
    mapping: ResourceMapping, contract: type[Contract], options: FilesOptions
) -> dict[str, tuple[str, ...]]:
    """The columns read as days or instants, in which day, month and year can change places, with their formats."""
    found: dict[str, tuple[str, ...]] = {}
    for name, field in mapping.fields.items():
        kind = field_type(contract.model_fields[name])[0]
        formats = field.formats or options.formats
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            found |= {column: formats for column in [field.column, *field.first_of] if column}
    return {
        column: formats for column, formats in found.items() if column.split(".")[0] not in mapping.lookup
    }


def placeholders(template: str) -> list[str]:
    """The template cut into texts and columns: odd places are columns."""
    return _PLACEHOLDER.split(template)
