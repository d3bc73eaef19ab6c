"""A mapping of the ``files`` adapter, read from its connection file and held against the contracts.

Belongs here: what is wrong with a mapping that has the right shape, told by place, so that it is refused before a file is
opened. The shape is ``mapping.py``'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import available_timezones

import pyarrow as pa

from contracts.arrow import field_type
from contracts.base import Contract
from contracts.resources import RESOURCES, Resource
from core.connections import Connection, Problem, options_of
from ingestion.files.mapping import FilesOptions, ResourceMapping, Scalar, Table, style_of, zone_of
from ingestion.files.values import refusal_of_constant


def read_options(connection: Connection) -> FilesOptions:
    """The connection's mapping. ConfigurationError with file, line, field, expected and found."""
    return options_of(
        connection, FilesOptions, lambda options: _problems(options, connection.kind, zone_of(connection))
    )


def _problems(options: FilesOptions, kind: str, time_zone: str | None) -> Iterator[Problem]:
    decimal, thousands = options.decimal, options.thousands
    if decimal == thousands:
        yield Problem(("thousands",), "a mark other than the decimal mark", thousands)
    for name, table in options.tables.items():
        if (table.decimal or decimal) == (table.thousands or thousands):
            yield Problem(("tables", name), "a thousands mark other than the decimal mark", table.thousands)
        yield from _encoding(name, table)
    for number, each in enumerate(options.resources):
        yield from _resource_problems(options, kind, number, each)
        yield from _value_problems(options, kind, number, each, time_zone)


def _encoding(name: str, table: Table) -> Iterator[Problem]:
    try:
        "".encode(table.encoding)
    except LookupError:
        yield Problem(("tables", name, "encoding"), "an encoding such as utf-8 or cp1252", table.encoding)


def _resource_problems(
    options: FilesOptions, kind: str, number: int, each: ResourceMapping
) -> Iterator[Problem]:
    where: tuple[str | int, ...] = ("resources", number)
    known = ", ".join(resource.name for resource in RESOURCES if resource.kind == kind)
    if each.table not in options.tables:
        yield Problem((*where, "table"), f"one of {', '.join(options.tables)}", each.table)
    for name, lookup in each.lookup.items():
        if lookup.table not in options.tables:
            yield Problem(
                (*where, "lookup", name, "table"), f"one of {', '.join(options.tables)}", lookup.table
            )
    found = _resource_of(kind, each.resource)
    if found is None:
        yield Problem((*where, "resource"), f"one of {known}", each.resource)
        return
    contract = found.contract.model_fields
    for field in each.fields:
        if field not in contract:
            yield Problem((*where, "fields", field), f"one of {', '.join(contract)}", field)
    missing = [name for name, info in contract.items() if info.is_required() and name not in each.fields]
    if missing:
        yield Problem((*where, "fields"), f"also {', '.join(missing)}", sorted(each.fields))


def _value_problems(
    options: FilesOptions, kind: str, number: int, each: ResourceMapping, time_zone: str | None
) -> Iterator[Problem]:
    """Values and zones that stand in the mapping itself and fit no row."""
    found = _resource_of(kind, each.resource)
    if found is None or each.table not in options.tables:
        return
    for name, field in each.fields.items():
        where = ("resources", number, "fields", name)
        if field.plus and not _is_instant(found.contract, name):
            yield Problem((*where, "plus"), "only for a field that is an instant", name)
        if field.time_zone and field.time_zone not in available_timezones():
            yield Problem((*where, "time_zone"), "an IANA zone such as Europe/Berlin", field.time_zone)
        elif name in found.contract.model_fields:
            info = found.contract.model_fields[name]
            style = style_of(field, options.tables[each.table], options, time_zone)
            values: dict[tuple[str, ...], Scalar] = {
                ("constant",): field.constant,
                ("otherwise",): field.otherwise,
                ("default",): field.default,
            }
            values |= {("map", word): value for word, value in (field.map or {}).items()}
            for place, value in values.items():
                why = None if value is None else refusal_of_constant(name, info, style, value)
                if why:
                    yield Problem((*where, *place), f"a value of {name} ({why})", value)


def _is_instant(contract: type[Contract], name: str) -> bool:
    info = contract.model_fields.get(name)
    return info is not None and pa.types.is_timestamp(field_type(info)[0])


def _resource_of(kind: str, name: str) -> Resource | None:
    """The resource of this name that systems of this kind may fill."""
    return next((each for each in RESOURCES if (each.kind, each.name) == (kind, name)), None)
