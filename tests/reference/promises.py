"""Three promises of a shipment as windows, and whether the delivery fell into them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl

from tests.reference.times import INSTANT, day_end, shown

KINDS = ("first_confirmed", "last_confirmed", "requested")
_JUST_BEFORE = timedelta(microseconds=1)


def with_promises(ships: pl.DataFrame) -> pl.DataFrame:
    """Adds ``<kind>_ends_at`` (after it the promise is broken), ``<kind>_last_at`` (on the promised day) and ``<kind>_met``."""
    windows = [_windows(row) for row in ships.iter_rows(named=True)]
    kinds = {
        f"{kind}_{part}": INSTANT if part != "met" else pl.Boolean()
        for kind in KINDS
        for part in ("ends_at", "last_at", "met")
    }
    return ships.hstack(pl.DataFrame(windows, schema=kinds))


def _windows(row: dict[str, Any]) -> dict[str, Any]:
    first, last = row["first_promised_at"], row["last_promised_at"] or row["first_promised_at"]
    start = row["promised_from_at"]
    promises = {
        "first_confirmed": (start, *_confirmed(row, first)),
        "last_confirmed": (start if last == first else None, *_confirmed(row, last)),
        "requested": (None, *_requested(row)),
    }
    found: dict[str, Any] = {}
    for kind, (begin, end, is_day) in promises.items():
        found[f"{kind}_ends_at"] = end
        found[f"{kind}_last_at"] = end - _JUST_BEFORE if end and is_day else end
        found[f"{kind}_met"] = _met(row["delivered_at"], begin, end, is_day=is_day)
    return found


def _confirmed(row: dict[str, Any], promised: datetime | None) -> tuple[datetime | None, bool]:
    """A day is written as the midnight at its start where it was promised, and holds to its end where the goods go."""
    if row["promise_precision"] == "date":
        return day_end(shown(promised, row["order_zone"]), row["place_zone"]), True
    return promised, False


def _requested(row: dict[str, Any]) -> tuple[datetime | None, bool]:
    if row["requested_delivery_at"] is None:
        return day_end(row["requested_delivery_date"], row["place_zone"]), True
    return row["requested_delivery_at"], False


def _met(
    delivered: datetime | None, begin: datetime | None, end: datetime | None, *, is_day: bool
) -> bool | None:
    if delivered is None or end is None:
        return None
    in_time = delivered < end if is_day else delivered <= end
    return in_time and (begin is None or delivered >= begin)
