"""Columns of dates that an export has damaged: every cell still reads as a date, and the column is wrong.

Belongs here: judging a whole column by its distribution. What one cell says is ``values``' business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from ingestion.files.values import parsed

LEAST_YEARS = 20
"""A column of fewer different years is not judged: days of the month, read as years, are many."""


def has_two_digit_years(formats: Iterable[str]) -> bool:
    """Whether a day and a year can have changed places without anybody seeing it in one cell."""
    return any("%y" in each and "%d" in each for each in formats)


def damage_of(cells: Mapping[str, tuple[str, ...]], as_of: datetime) -> str | None:
    """What is wrong with a column, in words; None when nothing shows.

    ``cells`` are its different texts, each with the formats that it may be read by. Days of the month spread
    over 31 numbers and years over a few: where it is the other way round, and the dates reach into the
    future, day and year have changed places.
    """
    days = [
        found.date()
        for text, formats in cells.items()
        if (found := parsed(text, tuple(each for each in formats if "%y" in each)))
    ]
    years = {each.year for each in days}
    if len(years) < LEAST_YEARS or 2 * len({each.day for each in days}) > len(years):
        return None
    if max(days) <= as_of.date() or not all(1 <= each.year % 100 <= 31 for each in days):
        return None
    return (
        f"its dates would run from {min(days)} to {max(days)} and fall on {len({each.day for each in days})} days "
        f"of the month only; with day and year exchanged they run from {_least(days)} to {_greatest(days)}: "
        "an export has damaged them. Ask for the file again, or declare the format that it has now"
    )


def _least(days: list[date]) -> int:
    return 2000 + min(each.day for each in days)


def _greatest(days: list[date]) -> int:
    return 2000 + max(each.day for each in days)
