"""Numbers as people read them: durations, rates, money, instants. Filters of the templates."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from core.money import minor_units

DASH = "–"
NBSP = "\u00a0"
"""Keeps a number and its unit on one line."""
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def duration(seconds: float | None) -> str:
    """Two units at most: ``42 s``, ``3.4 min``, ``5 h 12 min``, ``2 d 4 h``."""
    if seconds is None:
        return DASH
    sign, size = ("−" if seconds < 0 else ""), abs(float(seconds))
    if size < MINUTE:
        return f"{sign}{size:.0f}{NBSP}s"
    if size < HOUR:
        return f"{sign}{size / MINUTE:.1f}{NBSP}min"
    if size < DAY:
        return sign + _two(round(size / MINUTE), 60, "h", "min")
    return sign + _two(round(size / HOUR), 24, "d", "h")


def _two(count: int, per: int, large: str, small: str) -> str:
    """``count`` small units as large and small ones; a rest of nothing is not said."""
    whole, rest = divmod(count, per)
    return NBSP.join([str(whole), large, *([str(rest), small] if rest else [])])


def rate(value: float | None) -> str:
    """A share as percent with one decimal."""
    return DASH if value is None else f"{float(value) * 100:.1f}{NBSP}%"


def measure(value: float | None, metric: str) -> str:
    """A metric's value by what its name says it is: ``_s`` a duration, ``_rate`` a share."""
    if metric.endswith("_s"):
        return duration(value)
    if metric.endswith("_rate"):
        return rate(value)
    return DASH if value is None else f"{float(value):,.0f}"


def money(amount: Decimal | float | None, currency: str | None) -> str:
    """An amount with the decimals of its currency, thousands apart."""
    if amount is None:
        return DASH
    places = minor_units(currency) if currency else 2
    return f"{Decimal(amount):,.{places}f} {currency or ''}".strip()


def instant(value: datetime | None) -> str:
    """A moment in UTC, to the minute."""
    return DASH if value is None else f"{value.astimezone(UTC):%d %b %Y, %H:%M} UTC"


def day(value: date | None) -> str:
    """A day."""
    return DASH if value is None else f"{value:%d %b %Y}"
