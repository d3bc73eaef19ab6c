"""What a position is worth: refused, or accepted with a flag that keeps it out of geofences and distances.

Belongs here: the judgement of one fix beside the fix before it of the same device.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from ingestion.times import Refused

EARTH_KM = 6371.0088
FASTEST_KMH = 300.0
SHORTEST_JUMP_KM = 2.0
CLOCK_LIMIT = timedelta(hours=1)
CLOCK_TOLERANCE = timedelta(minutes=1)
LATE = timedelta(days=1)
FROZEN_SPEED_KMH = 5.0

Fields = dict[str, Any]


def check_place(latitude: float | None, longitude: float | None) -> None:
    """Refuse coordinates that are on no map, telling when they look swapped."""
    if latitude is None or longitude is None:
        return
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        raise Refused("COORDINATES_INVALID", f"{latitude}, {longitude} is not a place")
    if 90 < abs(latitude) <= 180 and abs(longitude) <= 90:
        raise Refused(
            "COORDINATES_SWAPPED", f"{latitude}, {longitude}: did you mean {longitude}, {latitude}?"
        )
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise Refused("COORDINATES_INVALID", f"{latitude}, {longitude} is not a place")


class Fixes:
    """Judges each device's fixes in the order in which they come."""

    def __init__(self) -> None:
        self._last: dict[str, Fields] = {}

    def last(self, device_id: str) -> Fields | None:
        """The fix against which the device's next one is judged."""
        return self._last.get(device_id)

    def keep(self, fields: Fields) -> None:
        """Let this be the fix against which the device's next one is judged."""
        self._last[fields["device_id"]] = fields

    def judged(self, fields: Fields) -> Fields:
        """The fix with its ``quality``; a clock that runs ahead gives way to the receive time."""
        at, received = fields["positioned_at"], fields["received_at"]
        if at - received > CLOCK_LIMIT:
            raise Refused("CLOCK_AHEAD", f"{at.isoformat()} is {at - received} after it was received")
        if at - received > CLOCK_TOLERANCE:
            return fields | {"positioned_at": received, "quality": "clock_ahead"}
        quality = self._quality(fields)
        if quality not in ("zero_island", "jump", "late"):
            self.keep(fields)
        return fields | {"quality": quality}

    def _quality(self, fields: Fields) -> str:
        if fields["latitude"] == 0 and fields["longitude"] == 0:
            return "zero_island"
        if fields["received_at"] - fields["positioned_at"] > LATE:
            return "late"
        last = self._last.get(fields["device_id"])
        if last is None or last["positioned_at"] >= fields["positioned_at"]:
            return "ok"
        return _against(last, fields)


def _against(last: Fields, fields: Fields) -> str:
    place = last["latitude"], last["longitude"], fields["latitude"], fields["longitude"]
    if None in place:
        return "ok"
    distance = distance_km(*place)
    hours = _hours(last["positioned_at"], fields["positioned_at"])
    if distance > SHORTEST_JUMP_KM and distance / hours > FASTEST_KMH:
        return "jump"
    before, now = last["odometer_km"], fields["odometer_km"]
    if before is not None and now is not None and now < before:
        return "odometer_fell"
    if (
        distance == 0
        and (fields["speed_kmh"] or 0) > FROZEN_SPEED_KMH
        and (last["speed_kmh"] or 0) > FROZEN_SPEED_KMH
    ):
        return "frozen"
    return "ok"


def distance_km(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Great-circle distance."""
    a, b = math.radians(latitude), math.radians(to_latitude)
    half = math.sin((b - a) / 2) ** 2
    half += math.cos(a) * math.cos(b) * math.sin(math.radians(to_longitude - longitude) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def _hours(start: datetime, end: datetime) -> float:
    return max((end - start).total_seconds(), 1.0) / 3600
