"""What lorries' units said of each local day: how long they were heard, worked and stood, how far they went and with what.

Plain Python over fixes, one lorry after another. Belongs here: the day of a lorry; its metrics are in ``fleet``.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl

from tests.reference.inputs import Inputs
from tests.reference.stops import setting
from tests.reference.times import day_end, shown
from tests.reference.trips import Trip, trips

Row = dict[str, Any]
EARTH_KM = 6371.0088


@dataclass
class Lorry:
    """A unit, what carries it as far as anybody knows, and where it is at home."""

    device: str
    connection: str
    vehicle: Row = field(default_factory=dict)
    home: Row = field(default_factory=dict)

    @property
    def zone(self) -> str:
        return str(self.home.get("time_zone") or "UTC")

    def serves(self, day: date) -> bool:
        first, last = self.vehicle.get("in_service_from"), self.vehicle.get("in_service_until")
        return (first is None or first <= day) and (last is None or day <= last)


@dataclass
class Day:
    """What is known of one local day, in seconds and kilometres."""

    lorry: Lorry
    day: date
    working_s: float = 0
    idle_s: float = 0
    driven_km: float = 0
    loaded_km: float = 0
    workshop_s: float = 0
    trips: list[Trip] = field(default_factory=list)

    @property
    def length_s(self) -> float:
        return (self.ends_at - self.starts_at).total_seconds()

    @property
    def starts_at(self) -> datetime:
        found = day_end(self.day - timedelta(days=1), self.lorry.zone)
        assert found
        return found

    @property
    def ends_at(self) -> datetime:
        found = day_end(self.day, self.lorry.zone)
        assert found
        return found


def days(inputs: Inputs) -> list[Day]:
    """Each day on which a unit told something, or its lorry served while others were heard."""
    lorries, fixes = _lorries(inputs), inputs["telematics", "positions"].sort("positioned_at").to_dicts()
    good = [fix for fix in fixes if fix["quality"] == "ok"]
    told, heard = [*fixes, *_events(inputs)], _heard_days(lorries, good)
    own: defaultdict[str, set[date]] = defaultdict(set)
    for row in told:
        own[row["device_id"]].add(_day(row["positioned_at"], lorries[row["device_id"]]))
    found = {
        (lorry.device, day): Day(lorry, day)
        for lorry in lorries.values()
        for day in _days_of(lorry, own[lorry.device], heard)
    }
    _drive(found, lorries, good, trips(inputs))
    _repair(found.values(), inputs)
    return list(found.values())


def _lorries(inputs: Inputs) -> dict[str, Lorry]:
    """By unit; at home where most of its trips begin."""
    places = {row["location_id"]: row for row in inputs["dispatch", "locations"].to_dicts()}
    began: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in inputs["dispatch", "trips"].filter(pl.col("vehicle_id").is_not_null()).to_dicts():
        began[row["vehicle_id"]][row["depot_id"]] += 1
    found: dict[str, Lorry] = {}
    for row in inputs["dispatch", "vehicles"].filter(pl.col("device_id").is_not_null()).to_dicts():
        most = began[row["vehicle_id"]].most_common(1)
        home = places[most[0][0]] if most else {}
        found[row["device_id"]] = Lorry(row["device_id"], row["source_system"], row, home)
    for table in ("positions", "vehicle_events"):
        for row in inputs["telematics", table].sort("source_system", descending=True).to_dicts():
            found.setdefault(row["device_id"], Lorry(row["device_id"], ""))
            found[row["device_id"]].connection = row["source_system"]
    return found


def _events(inputs: Inputs) -> list[Row]:
    return inputs["telematics", "vehicle_events"].rename({"occurred_at": "positioned_at"}).to_dicts()


def _heard_days(lorries: dict[str, Lorry], good: list[Row]) -> set[date]:
    return {_day(fix["positioned_at"], lorries[fix["device_id"]]) for fix in good}


def _days_of(lorry: Lorry, own: set[date], heard: set[date]) -> set[date]:
    """A lorry that is known to serve has a day also when it was silent."""
    if lorry.vehicle.get("in_service_from") is None:
        return own
    return own | {day for day in heard if lorry.serves(day)}


def _day(moment: datetime, lorry: Lorry) -> date:
    found = shown(moment, lorry.zone)
    assert found
    return found


def _drive(
    found: dict[tuple[str, date], Day], lorries: dict[str, Lorry], good: list[Row], tours: list[Trip]
) -> None:
    """Between two fixes it worked while the ignition was on, or moved; of a longer silence nobody knows."""
    by_device: defaultdict[str, list[Row]] = defaultdict(list)
    for fix in good:
        by_device[fix["device_id"]].append(fix)
    for lorry in lorries.values():
        own = [each for each in tours if each.vehicle_id == lorry.vehicle.get("vehicle_id")]
        for trip in own:
            if day := found.get((lorry.device, _day(trip.departed_at, lorry))):
                day.trips.append(trip)
        for before, after in pairwise(by_device[lorry.device]):
            _step(found, lorry, before, after, own)


def _step(
    found: dict[tuple[str, date], Day], lorry: Lorry, before: Row, after: Row, tours: list[Trip]
) -> None:
    begin, end = before["positioned_at"], after["positioned_at"]
    if (end - begin).total_seconds() > setting("longest_gap_s"):
        return
    km = way_km(before, after)
    moved = km > setting("moved_km")
    is_working = moved if before["ignition"] is None else before["ignition"]
    for day, seconds in split(found, lorry, begin, end):
        day.working_s += seconds if is_working else 0
        day.idle_s += 0 if is_working else seconds
    last = found[lorry.device, _day(end, lorry)]
    last.driven_km += km
    if any(trip.is_loaded(end) for trip in tours):
        last.loaded_km += km


def split(
    found: dict[tuple[str, date], Day], lorry: Lorry, begin: datetime, end: datetime
) -> Iterator[tuple[Day, float]]:
    for name in sorted({_day(begin, lorry), _day(end, lorry)}):
        day = found[lorry.device, name]
        yield day, (min(end, day.ends_at) - max(begin, day.starts_at)).total_seconds()


def way_km(before: Row, after: Row) -> float:
    """Along the great circle."""
    south, north = math.radians(before["latitude"]), math.radians(after["latitude"])
    east = math.radians(after["longitude"] - before["longitude"])
    half = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin(east / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def _repair(every: Iterable[Day], inputs: Inputs) -> None:
    """In the workshop, once however many orders it has; one that was begun and not ended still goes on."""
    spans: defaultdict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for row in inputs["maintenance", "maintenance_orders"].sort("started_at").to_dicts():
        end = row["ended_at"] or (inputs.as_of if row["status"] == "started" else None)
        if row["started_at"] and end and row["status"] in ("started", "completed"):
            spans[row["vehicle_id"]].append((row["started_at"], end))
    for day in every:
        done = day.starts_at
        for begin, end in spans[str(day.lorry.vehicle.get("vehicle_id"))]:
            first, last = max(begin, done), min(end, day.ends_at)
            if first < last:
                day.workshop_s += (last - first).total_seconds()
                done = last
