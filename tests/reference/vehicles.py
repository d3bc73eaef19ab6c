"""What lorries' units said of each local day: how long they were heard, worked and stood, how far they went and with what.

Plain Python over fixes, one lorry after another. Belongs here: the day of a lorry; its metrics are in ``fleet``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.reference.inputs import Inputs
from tests.reference.lorries import Lorry, Unit, is_heard, lorries, usable_fixes, way_km
from tests.reference.stops import setting
from tests.reference.times import day_end
from tests.reference.trips import Trip, trips

Row = dict[str, Any]


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
    fix_count: int = 0
    excluded_fix_count: int = 0
    late_fix_count: int = 0
    first_fix_at: datetime | None = None
    last_fix_at: datetime | None = None
    event_count: int = 0
    late_event_count: int = 0
    out_of_order_event_count: int = 0

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


Days = dict[tuple[Unit, date], Day]


def days(inputs: Inputs) -> list[Day]:
    """Each day on which a unit told something, or its lorry served while others were heard."""
    known, good = lorries(inputs), usable_fixes(inputs)
    fixes, events = inputs["telematics", "positions"].to_dicts(), _events(inputs)
    heard = {known[unit].day(fix["positioned_at"]) for unit, each in good.items() for fix in each}
    own: defaultdict[Unit, set[date]] = defaultdict(set)
    for row in [*fixes, *events]:
        unit = (row["source_system"], row["device_id"])
        own[unit].add(known[unit].day(row["positioned_at"]))
    found = {
        (unit, day): Day(lorry, day)
        for unit, lorry in known.items()
        for day in _days_of(lorry, own[unit], heard)
    }
    _count(found, known, fixes, events)
    _drive(found, known, good, trips(inputs))
    _repair(found.values(), inputs)
    return list(found.values())


def _events(inputs: Inputs) -> list[Row]:
    return inputs["telematics", "vehicle_events"].rename({"occurred_at": "positioned_at"}).to_dicts()


def _days_of(lorry: Lorry, own: set[date], heard: set[date]) -> set[date]:
    """A lorry that is known to serve has a day also when it was silent."""
    if lorry.vehicle.get("in_service_from") is None:
        return own
    return own | {day for day in heard if lorry.serves(day)}


def _count(found: Days, known: dict[Unit, Lorry], fixes: list[Row], events: list[Row]) -> None:
    """What was told, whatever it is worth. An event is out of order when one that happened later was received before it."""
    late = timedelta(seconds=setting("late_after_s"))
    for row in fixes:
        unit, moment = (row["source_system"], row["device_id"]), row["positioned_at"]
        day = found[unit, known[unit].day(moment)]
        day.fix_count += 1
        day.excluded_fix_count += row["quality"] != "ok"
        day.late_fix_count += row["received_at"] - moment > late
        day.first_fix_at = min(day.first_fix_at or moment, moment)
        day.last_fix_at = max(day.last_fix_at or moment, moment)
    for row in events:
        unit, moment, received = (
            (row["source_system"], row["device_id"]),
            row["positioned_at"],
            row["received_at"],
        )
        day = found[unit, known[unit].day(moment)]
        day.event_count += 1
        day.late_event_count += received is not None and received - moment > late
        day.out_of_order_event_count += received is not None and any(
            other["received_at"] is not None
            and other["received_at"] < received
            and other["positioned_at"] > moment
            for other in events
            if (other["source_system"], other["device_id"]) == unit
        )


def _drive(found: Days, known: dict[Unit, Lorry], good: dict[Unit, list[Row]], tours: list[Trip]) -> None:
    """Between two fixes it worked while the ignition was on, or moved; of a longer silence nobody knows."""
    of_vehicle: defaultdict[tuple[str | None, str | None], list[Trip]] = defaultdict(list)
    for trip in tours:
        of_vehicle[trip.vehicle_key].append(trip)
    for unit, lorry in known.items():
        own = of_vehicle[lorry.vehicle_key]
        for trip in own:
            day = found.get((unit, lorry.day(trip.departed_at)))
            if day and unit == _first_to_hear(found, known, lorry, day.day):
                day.trips.append(trip)
        for before, after in pairwise(good.get(unit, [])):
            if is_heard(before["positioned_at"], after["positioned_at"]):
                _step(found, unit, lorry, before, after, own)


def _first_to_hear(found: Days, known: dict[Unit, Lorry], lorry: Lorry, name: date) -> Unit:
    """A trip counts once: by the first connection that heard the unit that day, or ever did."""
    same = [unit for unit in known if unit[1] == lorry.device]
    of_day = [unit for unit in same if (day := found.get((unit, name))) and day.fix_count]
    ever = [unit for unit in same if any(day.fix_count for (other, _), day in found.items() if other == unit)]
    return min(of_day or ever or same)


def _step(found: Days, unit: Unit, lorry: Lorry, before: Row, after: Row, tours: list[Trip]) -> None:
    begin, end = before["positioned_at"], after["positioned_at"]
    km = way_km(before, after)
    moved = km > setting("moved_km")
    is_working = moved if before["ignition"] is None else before["ignition"]
    for name in sorted({lorry.day(begin), lorry.day(end)}):
        day = found[unit, name]
        seconds = (min(end, day.ends_at) - max(begin, day.starts_at)).total_seconds()
        day.working_s += seconds if is_working else 0
        day.idle_s += 0 if is_working else seconds
    last = found[unit, lorry.day(end)]
    last.driven_km += km
    if any(trip.is_loaded(end) for trip in tours):
        last.loaded_km += km


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
