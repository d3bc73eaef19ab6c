"""Frappe's list parameters: `filters`, `fields`, `order_by`, `limit_start`, `limit_page_length`.

Belongs here: reading the parameters and applying them to rows. Where rows come from does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.servers.frappe_errors import FrappeError
from sandbox.servers.texts import number

PAGE = 20
_ORDER = re.compile(r"^(?:`?tab[^`.]+`?\.)?`?(?P<field>\w+)`?(?:\s+(?P<way>asc|desc))?$", re.IGNORECASE)
Row = dict[str, Any]


@dataclass(frozen=True)
class Filter:
    """One condition; all of a list's conditions must hold."""

    field: str
    operator: str
    value: Any

    def holds(self, row: Row) -> bool:
        return _OPERATORS[self.operator](number(row.get(self.field)), self.value)


@dataclass(frozen=True)
class Query:
    """What a list request asks for. ``limit`` None = all rows."""

    filters: tuple[Filter, ...]
    fields: tuple[str, ...]
    order: tuple[tuple[str, bool], ...]
    start: int
    limit: int | None

    def select(self, row: Row) -> Row:
        """The asked-for fields; `*` is every field but child tables, as in Frappe."""
        if "*" in self.fields:
            return {key: value for key, value in row.items() if not isinstance(value, list | dict)}
        return {field: row.get(field) for field in self.fields}


def read(parameters: Mapping[str, str]) -> Query:
    """The query of a request; FrappeError (417) names what cannot be understood."""
    try:
        filters = _filters(json.loads(parameters.get("filters") or "[]"))
        fields = json.loads(parameters.get("fields") or '["name"]')
        start = int(parameters.get("limit_start") or parameters.get("start") or 0)
        length = int(parameters.get("limit_page_length") or parameters.get("limit") or PAGE)
    except (ValueError, TypeError) as error:
        raise FrappeError("ValidationError", f"Invalid list parameter: {error}") from error
    if not isinstance(fields, list) or not all(isinstance(each, str) for each in fields) or not fields:
        raise FrappeError("ValidationError", "fields is a JSON list of names")
    explicit = parameters.get("limit_page_length", parameters.get("limit"))
    limit = None if explicit == "0" else length
    return Query(filters, tuple(fields), _order(parameters.get("order_by")), max(start, 0), limit)


def _filters(given: object) -> tuple[Filter, ...]:
    if isinstance(given, dict):
        pairs = [(key, value if isinstance(value, list) else ["=", value]) for key, value in given.items()]
        return tuple(_filter(key, *value) for key, value in pairs)
    if not isinstance(given, list):
        raise ValueError("filters is a JSON list or object")
    return tuple(_filter(*(each[1:] if len(each) == 4 else each)) for each in given)


def _filter(field: object, operator: object, value: Any) -> Filter:
    name = str(operator).lower()
    if name not in _OPERATORS:
        raise ValueError(f"operator {operator!r} is not known")
    if name in ("in", "not in"):
        value = [each.strip() for each in value.split(",")] if isinstance(value, str) else list(value)
    if name == "between" and (not isinstance(value, list) or len(value) != 2):
        raise ValueError("between wants two values")
    return Filter(str(field), name, value)


def _order(text: str | None) -> tuple[tuple[str, bool], ...]:
    """(field, descending) pairs; newest change first when nothing is said, as in Frappe."""
    parts = []
    for part in (text or "modified desc").split(","):
        found = _ORDER.match(part.strip())
        if not found:
            raise FrappeError("ValidationError", f"Invalid order_by: {part.strip()}")
        parts.append((found["field"], (found["way"] or "asc").lower() == "desc"))
    return tuple(parts)


def _pair(left: Any, right: Any) -> tuple[Any, Any]:
    """Both as numbers where both are, else both as text."""
    try:
        return float(left), float(right)
    except (TypeError, ValueError):
        return str(left), str(right)


def _comparing(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: left is not None and right is not None and test(*_pair(left, right))


def _equal(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is None and right in (None, "")
    pair = _pair(left, right)
    return bool(pair[0] == pair[1])


def _like(left: Any, right: Any) -> bool:
    pattern = "".join(".*" if each == "%" else "." if each == "_" else re.escape(each) for each in str(right))
    return left is not None and re.fullmatch(pattern, str(left), re.IGNORECASE | re.DOTALL) is not None


def _is(left: Any, right: Any) -> bool:
    return (left not in (None, "")) == (str(right).lower() == "set")


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": _equal,
    "!=": lambda left, right: not _equal(left, right),
    ">": _comparing(lambda left, right: left > right),
    ">=": _comparing(lambda left, right: left >= right),
    "<": _comparing(lambda left, right: left < right),
    "<=": _comparing(lambda left, right: left <= right),
    "in": lambda left, right: any(_equal(left, each) for each in right),
    "not in": lambda left, right: not any(_equal(left, each) for each in right),
    "like": _like,
    "not like": lambda left, right: not _like(left, right),
    "is": _is,
}
_OPERATORS["between"] = lambda left, right: (
    _OPERATORS[">="](left, right[0]) and _OPERATORS["<="](left, right[1])
)
