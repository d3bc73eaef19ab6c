"""Lengths of time in the working hours of a site, counted stretch by stretch.

The calendars are the seeds that say when a site works: data that both computations are given.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"
Stretch = tuple[str, str]


def working_seconds(frame: pl.DataFrame, start: str, end: str, zone: str, depot: str | None) -> pl.Series:
    """Of each row the working seconds from its start to its end; NULL where one is not known, and below 0 where they are turned round."""
    depots = frame[depot] if depot else [None] * len(frame)
    rows = zip(frame[start], frame[end], frame[zone], depots, strict=True)
    return pl.Series([_between(*row) for row in rows], dtype=pl.Float64())


def _between(
    start: datetime | None, end: datetime | None, zone: str | None, depot: str | None
) -> float | None:
    if start is None or end is None or zone is None:
        return None
    if end < start:
        return -(_between(end, start, zone, depot) or 0.0)
    place = ZoneInfo(zone)
    day, last = start.astimezone(place).date(), end.astimezone(place).date()
    total = timedelta()
    while day <= last:
        for opens, closes in _hours(day, _calendar(depot, zone)):
            overlap = min(end, _instant(day, closes, place)) - max(start, _instant(day, opens, place))
            total += max(overlap, timedelta())
        day += timedelta(days=1)
    return total.total_seconds()


def _hours(day: date, calendar: str) -> list[Stretch]:
    return [] if day in _holidays()[calendar] else _weeks()[calendar, day.isoweekday()]


def _instant(day: date, clock: str, place: ZoneInfo) -> datetime:
    hour, minute = map(int, clock.split(":"))
    local = datetime.combine(day, time(), place) + timedelta(hours=hour, minutes=minute)
    return local.astimezone(UTC)


@cache
def _calendar(depot: str | None, zone: str) -> str:
    """A depot's own comes before its zone's, and that before the default."""
    sites = list(_rows("working_sites"))
    of_depot = [each["calendar"] for each in sites if each["depot_id"] and each["depot_id"] == depot]
    of_zone = [each["calendar"] for each in sites if not each["depot_id"] and each["time_zone"] == zone]
    return next(iter([*of_depot, *of_zone, "default"]))


@cache
def _weeks() -> defaultdict[tuple[str, int], list[Stretch]]:
    found: defaultdict[tuple[str, int], list[Stretch]] = defaultdict(list)
    for each in _rows("working_hours"):
        for opens, closes in (("opens", "closes"), ("opens_again", "closes_again")):
            if each[opens]:
                found[each["calendar"], int(each["weekday"])].append((each[opens], each[closes]))
    return found


@cache
def _holidays() -> defaultdict[str, set[date]]:
    found: defaultdict[str, set[date]] = defaultdict(set)
    for each in _rows("holidays"):
        found[each["calendar"]].add(date.fromisoformat(each["holiday_date"]))
    return found


def _rows(seed: str) -> Iterator[dict[str, str]]:
    with (SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)
