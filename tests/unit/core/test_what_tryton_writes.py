"""Tryton's decimals, days and instants, there and back; what is not as it writes them is refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from core.tryton import decoded, encoded


@pytest.mark.parametrize(
    "value",
    [
        Decimal("0.285"),
        Decimal("-12"),
        date(2026, 11, 13),
        datetime(2026, 11, 29, 2, 3, 4, 567, tzinfo=UTC),
    ],
)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert decoded(encoded(value)) == value
    assert decoded([{"lines.": [{"amount": encoded(value)}]}]) == [{"lines.": [{"amount": value}]}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("105.0000", "105"),
        ("10.50", "10.5"),
        ("100", "100"),
        ("0.00", "0"),
        ("1E+3", "1000"),
        ("0.0001", "0.0001"),
    ],
)
def test_no_digit_is_written_that_says_nothing(value: str, text: str) -> None:
    assert encoded(Decimal(value)) == {"__class__": "Decimal", "decimal": text}


def test_an_instant_is_told_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    assert decoded(encoded(datetime(2026, 11, 29, 1, tzinfo=berlin))) == datetime(2026, 11, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    "broken",
    [
        {"__class__": "Decimal", "decimal": "a lot"},
        {"__class__": "Decimal"},
        {"__class__": "date", "year": 2026, "month": 13, "day": 1},
        {"__class__": "datetime", "year": 2026},
    ],
)
def test_what_is_written_otherwise_is_no_value(broken: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError, TypeError, ArithmeticError)):
        decoded(broken)


def test_other_objects_stay_as_they_are() -> None:
    assert decoded({"__class__": "unknown", "id": 1}) == {"__class__": "unknown", "id": 1}
