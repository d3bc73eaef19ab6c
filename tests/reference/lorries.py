"""Telematics units, the lorries that carry them, and where those are at home; and the usable fixes of each unit.

Vehicles, trips and places are of one dispatch connection each: another one may give the same numbers to others.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from tests.reference.inputs import Inputs
from tests.reference.stops import setting
from tests.reference.times import shown

Row = dict[str, Any]
Unit = tuple[str, str]
"""The connection that hears it, and what it calls itself."""
EARTH_KM = 6371.0088
KM_PER_DEGREE = EARTH_KM * math.pi / 180
"""Of latitude."""


@dataclass
class Lorry:
    """A unit, what carries it as far as anybody knows, and where that is at home."""

    device: str
    connection: str
    vehicle: Row = field(default_factory=dict)
    home: Row = field(default_factory=dict)

    @property
    def zone(self) -> str:
        return str(self.home.get("time_zone") or "UTC")

    @property
    def vehicle_key(self) -> tuple[str | None, str | None]:
        return self.vehicle.get("source_system"), self.vehicle.get("vehicle_id")

    def serves(self, day: date) -> bool:
        first, last = self.vehicle.get("in_service_from"), self.vehicle.get("in_service_until")
        return (first is None or first <= day) and (last is None or day <= last)

    def day(self, moment: datetime) -> date:
        found = shown(moment, self.zone)
        assert found
        return found


def lorries(inputs: Inputs) -> dict[Unit, Lorry]:
    """By unit; one that was never heard stands under the dispatch that knows its lorry."""
    carried = _carried(inputs)
    found: dict[Unit, Lorry] = {}
    for table in ("positions", "vehicle_events"):
        for row in inputs["telematics", table].select("source_system", "device_id").unique().to_dicts():
            unit = (row["source_system"], row["device_id"])
            vehicle, home = carried.get(row["device_id"], ({}, {}))
            found[unit] = Lorry(row["device_id"], row["source_system"], vehicle, home)
    heard = {device for _, device in found}
    for device, (vehicle, home) in carried.items():
        if device not in heard:
            found[vehicle["source_system"], device] = Lorry(device, vehicle["source_system"], vehicle, home)
    return found


def _carried(inputs: Inputs) -> dict[str, tuple[Row, Row]]:
    """The vehicle of each unit; at home where most of its trips begin."""
    places = {
        (row["source_system"], row["location_id"]): row for row in inputs["dispatch", "locations"].to_dicts()
    }
    began: defaultdict[Unit, Counter[str]] = defaultdict(Counter)
    for row in inputs["dispatch", "trips"].filter(pl.col("vehicle_id").is_not_null()).to_dicts():
        began[row["source_system"], row["vehicle_id"]][row["depot_id"]] += 1
    found = {}
    for row in inputs["dispatch", "vehicles"].filter(pl.col("device_id").is_not_null()).to_dicts():
        most = began[row["source_system"], row["vehicle_id"]].most_common(1)
        found[row["device_id"]] = (row, places.get((row["source_system"], most[0][0]), {}) if most else {})
    return found


def usable_fixes(inputs: Inputs) -> dict[Unit, list[Row]]:
    """In the order in which they were taken; what cannot be, or is not sure, is no use for places and ways."""
    found: defaultdict[Unit, list[Row]] = defaultdict(list)
    good = inputs["telematics", "positions"].filter(pl.col("quality") == "ok").sort("positioned_at")
    for row in good.to_dicts():
        found[row["source_system"], row["device_id"]].append(row)
    return found


def is_heard(before: datetime | None, after: datetime | None) -> bool:
    """No silence lies between them that is too long for knowing anything."""
    if before is None or after is None:
        return False
    return (after - before).total_seconds() <= setting("longest_gap_s")


def is_somewhere(place: Row) -> bool:
    """Zero island is where units that know nothing say that they are."""
    latitude, longitude = place["latitude"], place["longitude"]
    return latitude is not None and longitude is not None and (latitude, longitude) != (0.0, 0.0)


def degrees_east(origin: float, longitude: float) -> float:
    """From one to the other, the shorter way round."""
    return (longitude - origin + 180) % 360 - 180


def way_km(before: Row, after: Row) -> float:
    """Along the great circle."""
    south, north = math.radians(before["latitude"]), math.radians(after["latitude"])
    east = math.radians(after["longitude"] - before["longitude"])
    half = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin(east / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))
