"""How much lorries worked, were heard and drove loaded, by lorry and local day: from the points that their units tell.

A unit of this world tells while its lorry is on a trip and at no other time, and the engine is on all the while. What a
silence of over a quarter of an hour hides, nobody knows.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sandbox.world.dialects import samsara
from sandbox.world.faults import telematics
from sandbox.world.happenings import Lorry
from sandbox.world.known import by_now, next_midnight
from sandbox.world.model import Depot, Trip, World
from sandbox.world.moments import NOW, visible
from sandbox.world.truth_numbers import Fact

_SILENCE = timedelta(minutes=15)
_EARTH_KM = 6371.0088


@dataclass
class Unit:
    """What it told by NOW: where it was at which time, and on which trips; and whose it is."""

    zone: str
    cuts: dict[str, str | None]
    spots: list[samsara.Spot] = field(default_factory=list)
    others: list[datetime] = field(default_factory=list)
    """Told too, and no use for the way: events, and positions that cannot be."""
    loaded: list[tuple[datetime, datetime]] = field(default_factory=list)
    repairs: list[tuple[datetime, datetime]] = field(default_factory=list)
    works: bool = True
    lorry: Lorry | None = None
    """None of one that nobody says when it serves: it does whenever it is heard."""

    def day(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def serves(self, day: date) -> bool:
        if self.lorry is None:
            return True
        last = self.lorry.in_service_until
        return self.lorry.in_service_from <= day and (last is None or day <= last)


@dataclass
class Day:
    heard_s: float = 0
    driven_km: float = 0
    loaded_km: float = 0


def at_work(world: World, wanted: int) -> Iterator[Fact]:
    """``wanted``: how many points the units tell, which says how often they do."""
    units = [*_units(world, wanted), _faulty()]
    heard = {unit.day(moment) for unit in units for moment, _, _ in unit.spots}
    for unit in units:
        days = {unit.day(moment): Day() for moment, _, _ in unit.spots} | {
            unit.day(each): Day() for each in unit.others
        }
        days |= {day: Day() for day in heard - {*days} if unit.lorry and unit.serves(day)}
        _drive(unit, days)
        for name, day in days.items():
            if next_midnight(name, unit.zone) <= NOW:
                yield from _facts(unit, name, day)


def _units(world: World, wanted: int) -> Iterator[Unit]:
    trips: defaultdict[str, list[Trip]] = defaultdict(list)
    for trip in world.trips:
        if by_now(trip.planned):
            trips[trip.vehicle].append(trip)
    every = samsara.step_s(world, wanted)
    for lorry in world.lorries:
        own = sorted(trips[lorry.id], key=lambda each: each.departed)
        unit = _at_home(own[0].depot if own else None, lorry)
        for trip in own:
            unit.spots += [spot for spot in samsara.told(trip, every) if samsara.heard(spot[0]) <= NOW]
            unit.loaded.append((trip.departed, _loaded_until(trip)))
        events = [each for each in world.harsh if each.trip.vehicle == lorry.id and visible(each.told) <= NOW]
        unit.others = [each.started for each in events]
        unit.cuts["connection"] = "sandbox_telematics" if unit.spots or events else "sandbox_dispatch"
        unit.repairs = [
            (visit.started, visit.ended or NOW)
            for visit in world.visits
            if visit.vehicle == lorry.id and visit.started and (visit.ended or visit.status == "started")
        ]
        yield unit


def _at_home(depot: Depot | None, lorry: Lorry) -> Unit:
    cuts = {"depot": depot.id, "region": depot.region} if depot else {}
    return Unit(depot.zone if depot else "UTC", {**cuts}, lorry=lorry)


def _loaded_until(trip: Trip) -> datetime:
    """The last hand-over, whatever came of it; while one is to come, goods are on board."""
    handed = [each.delivered for each in trip.shipments if each.delivered]
    return max(handed) if all(by_now(moment + timedelta(minutes=4)) for moment in handed) else NOW


def _faulty() -> Unit:
    """The one with planted faults makes no trip, and stands where it is heard. It tells nothing of its engine."""
    found = Unit("UTC", {"connection": "sandbox_telematics"}, works=False)
    found.spots = [(moment, 53.54, 9.98) for moment in telematics.in_order()]
    found.others = telematics.kept()
    return found


def _drive(unit: Unit, days: dict[date, Day]) -> None:
    for (begin, *here), (end, *there) in itertools.pairwise(unit.spots):
        if end - begin > _SILENCE:
            continue
        for name in sorted({unit.day(begin), unit.day(end)}):
            first, last = _ends(name, unit.zone)
            days[name].heard_s += (min(end, last) - max(begin, first)).total_seconds()
        km = _way_km((here[0], here[1]), (there[0], there[1]))
        days[unit.day(end)].driven_km += km
        if any(start < end <= until for start, until in unit.loaded):
            days[unit.day(end)].loaded_km += km


def _ends(day: date, zone: str) -> tuple[datetime, datetime]:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(NOW.tzinfo), next_midnight(
        day, zone
    ).astimezone(NOW.tzinfo)


def _way_km(one: tuple[float, float], two: tuple[float, float]) -> float:
    """On the sphere; the model itself is flat."""
    south, north = math.radians(one[0]), math.radians(two[0])
    east = math.radians(two[1] - one[1])
    half = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin(east / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(half))


def _facts(unit: Unit, name: date, day: Day) -> Iterator[Fact]:
    first, last = _ends(name, unit.zone)
    length = (last - first).total_seconds()
    worked = day.heard_s if unit.works else 0.0
    if unit.serves(name):
        repaired = sum(
            max((min(end, last) - max(begin, first)).total_seconds(), 0.0) for begin, end in unit.repairs
        )
        yield _share("fleet_utilisation_rate", "default", unit, name, worked, length - repaired)
        yield _share("fleet_utilisation_rate", "heard", unit, name, worked, day.heard_s)
        yield _share("telemetry_coverage_rate", "default", unit, name, day.heard_s, length)
    if unit.lorry and round(day.driven_km, 3) > 0:
        yield _share("loaded_km_share", "default", unit, name, 1000 * day.loaded_km, 1000 * day.driven_km)


def _share(metric: str, variant: str, unit: Unit, day: date, part: float, whole: float) -> Fact:
    return Fact(
        metric, variant, "ratio", "in" if whole > 0 else "excluded", day, unit.cuts,
        numerator=_rounded(part), denominator=_rounded(whole),
    )  # fmt: skip


def _rounded(number: float) -> int:
    return math.floor(number + 0.5)
