"""Columns of dates that an export has damaged: every cell still reads as a date, and the column is wrong.

Belongs here: judging a whole column by its distribution and its formats. What one cell says is ``values``' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from ingestion.files.values import parsed

LEAST_YEARS = 20
"""A column of fewer different years is not judged: days of the month, read as years, are many."""
LEAST_DATES = 20
"""Different dates that must speak for a month, and against it, before day and month are thought exchanged."""
LEAST_MISFITS = 3
"""Cells that fit with day and month exchanged only; one or two are slips of somebody's hand."""
MOST_CELLS = 50_000
"""Different cells that are looked at; they tell enough about a column of any length."""
_AMBIGUOUS = 12
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_ADVICE = "an export has damaged them. Ask for the file again, or declare the format that it has now"


def damage_of(cells: Mapping[str, tuple[str, ...]], as_of: datetime) -> str | None:
    """What is wrong with a column, in words; None when nothing shows.

    ``cells`` are its different texts, each with the formats that it may be read by.
    """
    return (
        _years_for_days(cells.items(), as_of)
        or _misfits(cells)
        or _months_for_days({found.date() for each in cells.items() if (found := parsed(*each))})
    )


def _years_for_days(cells: Iterable[tuple[str, tuple[str, ...]]], as_of: datetime) -> str | None:
    """Days of the month spread over 31 numbers and years over a few: where it is the other way round, and the
    dates reach into the future, day and year have changed places."""
    days = [
        found.date()
        for text, formats in cells
        if (short := tuple(each for each in formats if "%y" in each and "%d" in each))
        and (found := parsed(text, short))
    ]
    years = {each.year for each in days}
    if len(years) < LEAST_YEARS or 2 * len({each.day for each in days}) > len(years):
        return None
    if max(days) <= as_of.date() or not all(1 <= each.year % 100 <= 31 for each in days):
        return None
    return (
        f"its dates would run from {min(days)} to {max(days)} and fall on {len({each.day for each in days})} days "
        f"of the month only; with day and year exchanged they run from {_least(days)} to {_greatest(days)}: "
        f"{_ADVICE}"
    )


def _misfits(cells: Mapping[str, tuple[str, ...]]) -> str | None:
    """Some cells fit only with day and month exchanged: of those that fit both ways nobody can tell which holds."""
    found = [
        text for text, formats in cells.items() if not parsed(text, formats) and _exchanged(text, formats)
    ]
    if len(found) < LEAST_MISFITS or 100 * len(found) < len(cells):
        return None
    return (
        f"{len(found)} of its {len(cells)} different cells fit with day and month exchanged only ({found[0]!r}), so "
        f"that of the others up to day {_AMBIGUOUS} nobody can tell: {_ADVICE}"
    )


def _exchanged(text: str, formats: Sequence[str]) -> datetime | None:
    for each in formats:
        if each == "iso":
            swapped = parsed(_ISO.sub(r"\1-\3-\2", text, count=1), (each,)) if _ISO.match(text) else None
        elif "%d" in each and "%m" in each:
            other = each.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m")
            swapped = parsed(text, (other,))
        else:
            swapped = None
        if swapped:
            return swapped
    return None


def _months_for_days(days: set[date]) -> str | None:
    """Days after the twelfth cannot have changed places with their month. Where those of the first twelve fall into
    months that no other date speaks for, and exchanged fall into months that many do, they have."""
    sure = {each for each in days if each.day > _AMBIGUOUS}
    months = {(each.year, each.month) for each in sure}
    doubtful = {each for each in days - sure if each.day != each.month}
    stray = {each for each in doubtful if (each.year, each.month) not in months}
    still = {each for each in stray if (each.year, each.day) not in months}
    if (
        min(len(sure), len(stray)) < LEAST_DATES
        or 5 * len(stray) < len(doubtful)
        or 20 * len(still) > len(stray)
    ):
        return None
    return (
        f"{len(stray)} of its {len(days)} dates (such as {min(stray)}) lie in months of which no day after the twelfth "
        f"occurs; with day and month exchanged {len(stray) - len(still)} of them lie in months that do: {_ADVICE}"
    )


def _least(days: list[date]) -> int:
    return 2000 + min(each.day for each in days)


def _greatest(days: list[date]) -> int:
    return 2000 + max(each.day for each in days)
