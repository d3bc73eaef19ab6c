"""Local days and lengths of time, by the zone of each row.

The zone's rules come from Python's own tables, not from the database's.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

INSTANT = pl.Datetime("us", "UTC")
RANKS = {"exact": 0, "assumed_zone": 1, "ambiguous": 2, "gap": 3}


def local_day(frame: pl.DataFrame, instant: str, zone: str) -> pl.Series:
    """The date that clocks in the row's zone show at the row's instant."""
    pairs = zip(frame[instant], frame[zone], strict=True)
    return pl.Series([shown(at, where) for at, where in pairs], dtype=pl.Date())


def shown(instant: datetime | None, zone: str | None) -> date | None:
    return instant.astimezone(ZoneInfo(zone)).date() if instant and zone else None


def day_end(day: date | None, zone: str | None) -> datetime | None:
    """The first instant that is no longer that local day."""
    if day is None or zone is None:
        return None
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)


def seconds(start: str, end: str) -> pl.Expr:
    return (pl.col(end) - pl.col(start)).dt.total_microseconds() / 1e6


def rank(quality: str = "time_quality") -> pl.Expr:
    return pl.col(quality).replace_strict(RANKS, return_dtype=pl.Int64)


def is_unreadable() -> pl.Expr:
    """A local time in a gap or a fold: nobody knows the instant."""
    return pl.col("quality") >= RANKS["ambiguous"]
