"""How Tryton writes into JSON what JSON has no type for: objects with ``__class__``; its times are naive UTC.

Belongs here: these few types, which reading and writing share. Calls and fields belong to the adapters.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

_DAY = ("year", "month", "day")
_TIME = (*_DAY, "hour", "minute", "second", "microsecond")


def decoded(value: Any) -> Any:
    """The value with decimals, days and instants (UTC) in place of their objects, at any depth.

    ValueError, KeyError, TypeError or ArithmeticError when such an object is not as Tryton writes it.
    """
    if isinstance(value, list):
        return [decoded(each) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    if kind == "Decimal":
        return Decimal(value["decimal"])
    if kind == "date":
        return date(*(value[each] for each in _DAY))
    if kind == "datetime":
        return datetime(*(value[each] for each in _TIME)).replace(tzinfo=UTC)  # noqa: DTZ001
    return {name: decoded(each) for name, each in value.items()}


def encoded(value: Decimal | datetime | date) -> dict[str, Any]:
    """The object that stands for a decimal, a day or an aware instant."""
    if isinstance(value, Decimal):
        # Tryton counts the digits behind the point, zeros too, and refuses more than the currency has.
        return {"__class__": "Decimal", "decimal": f"{value.normalize():f}"}
    if isinstance(value, datetime):
        utc = value.astimezone(UTC)
        return {"__class__": "datetime", **{each: getattr(utc, each) for each in _TIME}}
    return {"__class__": "date", **{each: getattr(value, each) for each in _DAY}}
