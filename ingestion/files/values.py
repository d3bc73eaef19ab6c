"""From a cell to the Python value that a contract field takes, or the reason why not.

Belongs here: numbers with declared marks, dates with declared formats, wall times with a declared zone,
words with declared meanings. Nothing is guessed: what does not fit the declaration is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Any

import pyarrow as pa
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from contracts.arrow import field_type
from core.clock import localize, zone
from core.errors import ConfigurationError

_TRUE, _FALSE = frozenset({"true", "1", "yes", "y", "t"}), frozenset({"false", "0", "no", "n", "f"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUALITIES = ("exact", "assumed_zone", "ambiguous")


class Refused(Exception):
    """The cell does not fit: ``reason`` is a dead-letter code, ``detail`` what was seen."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Style:
    """How a table writes its numbers and times. ``time_zone`` None: nothing is declared."""

    decimal: str = "."
    thousands: str | None = None
    formats: tuple[str, ...] = ("iso",)
    time_zone: str | None = None
    day: bool = False
    from_number: bool = False
    multiply_by: Decimal | None = None
    round: int | None = None


class Clockwork:
    """The worst time quality met while one row is read."""

    def __init__(self) -> None:
        self.worst = "exact"

    def note(self, quality: str) -> None:
        """Remember ``quality`` when it is worse than what was met before."""
        if _QUALITIES.index(quality) > _QUALITIES.index(self.worst):
            self.worst = quality


Converter = Callable[[Any, str | None, Clockwork], Any]
"""(cell, the row's own zone if it has one, clockwork) → value; Refused when it does not fit."""


def converter(name: str, info: FieldInfo, style: Style) -> Converter:
    """The converter of the contract field ``name``, chosen by the type of its column."""
    arrow, _ = field_type(info)
    reason = "COORDINATES_INVALID" if name in {"latitude", "longitude"} else "AMOUNT_INVALID"
    if pa.types.is_floating(arrow):
        number = _decimal_of(style, reason)
        return lambda cell, own, clock: float(number(cell, own, clock))
    fitting: tuple[tuple[Callable[[pa.DataType], bool], Converter], ...] = (
        (pa.types.is_timestamp, _instant_of(style)),
        (pa.types.is_date, _day_of(style)),
        (pa.types.is_decimal, _decimal_of(style, reason)),
        (pa.types.is_integer, _integer),
        (pa.types.is_boolean, _flag),
    )
    return next((each for fits, each in fitting if fits(arrow)), _text_of(style))


def refusal_of_constant(name: str, info: FieldInfo, style: Style, value: Any) -> str | None:
    """Why a value that stands in the mapping itself can never be right; None when it can."""
    try:
        converted = converter(name, info, style)(value, None, Clockwork())
        annotation: Any = Annotated[info.annotation, info]
        TypeAdapter(annotation).validate_python(converted)
    except Refused as error:
        return error.detail
    except ValidationError as error:
        return error.errors(include_url=False)[0]["msg"]
    return None


def _text_of(style: Style) -> Converter:
    def text(cell: Any, _own: str | None, _clock: Clockwork) -> Any:
        """A number where a text is due has already lost its leading zeros: only taken when declared."""
        if style.from_number and isinstance(cell, int) and not isinstance(cell, bool):
            return str(cell)
        if not isinstance(cell, str):
            raise Refused("ID_INVALID", f"expected a text, found the {type(cell).__name__} {cell!r}")
        return cell

    return text


def _number_pattern(decimal: str, thousands: str | None) -> re.Pattern[str]:
    whole = r"\d+" if thousands is None else rf"(?:\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|\d+)"
    return re.compile(rf"[+-]?{whole}(?:{re.escape(decimal)}\d+)?", re.ASCII)


def _decimal_of(style: Style, reason: str) -> Converter:
    pattern = _number_pattern(style.decimal, style.thousands)

    def decimal(cell: Any, _own: str | None, _clock: Clockwork) -> Decimal:
        if isinstance(cell, str):
            text = cell.strip()
            if not pattern.fullmatch(text):
                raise Refused(reason, f"{cell[:80]!r} is not a number written like {_example(style)}")
            plain = text.replace(style.thousands, "") if style.thousands else text
            value = Decimal(plain.replace(style.decimal, "."))
        elif isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
            value = Decimal(repr(cell)) if isinstance(cell, float) else Decimal(cell)
        else:
            raise Refused(reason, f"expected a number, found {cell!r}")
        if not value.is_finite():
            raise Refused(reason, f"{cell!r} is not a finite number")
        try:
            value = value * style.multiply_by if style.multiply_by is not None else value
            return value if style.round is None else value.quantize(Decimal(1).scaleb(-style.round))
        except InvalidOperation as error:
            raise Refused(reason, f"{str(cell)[:80]} is too large") from error

    return decimal


def _example(style: Style) -> str:
    return f"1{style.thousands or ''}234{style.decimal}56"


def _integer(cell: Any, _own: str | None, _clock: Clockwork) -> int:
    text = str(cell).strip()
    if isinstance(cell, bool) or not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise Refused("FIELD_INVALID", f"expected a whole number, found {str(cell)[:80]!r}")
    return int(text)


def _flag(cell: Any, _own: str | None, _clock: Clockwork) -> bool:
    if isinstance(cell, bool):
        return cell
    word = str(cell).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise Refused("FIELD_INVALID", f"expected true or false, found {str(cell)[:80]!r}; declare a `map`")


def _instant_of(style: Style) -> Converter:
    def instant(cell: Any, own: str | None, clock: Clockwork) -> datetime:
        found = _moment(cell, style.formats)
        zone_name = own or style.time_zone
        if style.day:
            found = _midnight(found, zone_name)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
        if zone_name is None:
            raise Refused("TIME_NO_ZONE", f"{cell!r} has no zone, and none is declared")
        try:
            value, quality = localize(found, zone_name)
        except ConfigurationError as error:
            raise Refused("TIME_NO_ZONE", error.message) from error
        except OverflowError as error:
            raise Refused("TIME_INVALID", f"{cell!r} is outside 1990 to 2100") from error
        if quality == "gap" and not style.day:
            raise Refused("TIME_GAP", f"clocks in {zone_name} never showed {cell!r}")
        clock.note("assumed_zone" if style.day else quality)
        return value

    return instant


def _midnight(found: datetime, zone_name: str | None) -> datetime:
    """The wall time at which the local day of ``found`` begins."""
    local = found.astimezone(zone(zone_name)) if found.tzinfo and zone_name else found
    return datetime.combine(local.date(), time.min)


def _day_of(style: Style) -> Converter:
    def day(cell: Any, own: str | None, _clock: Clockwork) -> date:
        if isinstance(cell, date) and not isinstance(cell, datetime):
            return cell
        return _midnight(_moment(cell, style.formats), own or style.time_zone).date()

    return day


def _moment(cell: Any, formats: tuple[str, ...]) -> datetime:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time.min)
    if isinstance(cell, bool) or not isinstance(cell, str | int | Decimal):
        raise Refused("TIME_INVALID", f"expected a time, found {cell!r}")
    found = parsed(str(cell).strip(), formats)
    if found is None:
        raise Refused("TIME_INVALID", f"{str(cell)[:80]!r} fits none of: {', '.join(formats)}")
    return found


@lru_cache(maxsize=65_536)
def parsed(text: str, formats: tuple[str, ...]) -> datetime | None:
    """``text`` by the first format that it fits entirely."""
    for each in formats:
        try:
            if each == "iso":
                return datetime.fromisoformat(text)
            if each in {"epoch_s", "epoch_ms"}:
                factor = 1_000 if each == "epoch_ms" else 1_000_000
                return _EPOCH + timedelta(microseconds=int(Decimal(text) * factor))
            return datetime.strptime(text, each)  # noqa: DTZ007 - the zone is declared, and added next
        except (ValueError, InvalidOperation, OverflowError):
            continue
    return None
