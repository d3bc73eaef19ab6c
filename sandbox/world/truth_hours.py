"""When a depot works: Monday to Friday, eight to eighteen on its own clocks. No holiday falls into the world."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_OPENS, _CLOSES = time(8), time(18)


def worked_s(begun: datetime, ended: datetime, zone: str) -> float:
    """Working seconds between two instants; an end before the begin counts as none."""
    local = ZoneInfo(zone)
    day, last, total = begun.astimezone(local).date(), ended.astimezone(local).date(), 0.0
    while day <= last:
        if day.weekday() < 5:
            opens, closes = (datetime.combine(day, at, local) for at in (_OPENS, _CLOSES))
            # Through instants: two times of one zone would be compared by their clocks.
            first, second = (
                max(opens.timestamp(), begun.timestamp()),
                min(closes.timestamp(), ended.timestamp()),
            )
            total += max(0.0, second - first)
        day += timedelta(days=1)
    return round(total, 6)
