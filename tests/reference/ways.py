"""When lorries on trips were off their way: farther than is allowed from every leg of it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import polars as pl

from tests.reference.inputs import Inputs
from tests.reference.lorries import (
    KM_PER_DEGREE,
    Lorry,
    Row,
    Unit,
    degrees_east,
    is_heard,
    lorries,
    usable_fixes,
)
from tests.reference.stops import setting, stops
from tests.reference.trips import Trip, trips

Way = list[tuple[Row, Row]]
Key = tuple[str, str]


class Off(NamedTuple):
    """A fix off the way: which one of its unit, and by how much."""

    nr: int
    km: float


def deviations(inputs: Inputs, ships: pl.DataFrame) -> list[Row]:
    routed, straight = _routes(inputs), _between_stops(inputs, ships)
    by_vehicle: defaultdict[tuple[str | None, str | None], list[Trip]] = defaultdict(list)
    for trip in trips(inputs):
        by_vehicle[trip.vehicle_key].append(trip)
    good, known = usable_fixes(inputs), lorries(inputs)
    found: list[Row] = []
    for unit, fixes in good.items():
        for trip in by_vehicle[known[unit].vehicle_key]:
            key = (trip.connection, trip.trip_id)
            way, setting_name = (
                (routed[key], "deviation_km")
                if key in routed
                else (straight[key], "deviation_without_route_km")
            )
            found += _of_trip(known[unit], unit, fixes, trip, way, float(setting(setting_name)))
    return found


def _routes(inputs: Inputs) -> dict[Key, Way]:
    points: defaultdict[tuple[Key, str], list[Row]] = defaultdict(list)
    every = inputs["dispatch", "route_points"].filter(pl.col("trip_id").is_not_null()).sort("sequence_nr")
    for row in every.to_dicts():
        points[(row["source_system"], row["trip_id"]), row["route_id"]].append(row)
    found: defaultdict[Key, Way] = defaultdict(list)
    for (key, _), each in points.items():
        found[key] += pairwise(each)  # a lone point is no way, and yet one was planned
    return found


def _between_stops(inputs: Inputs, ships: pl.DataFrame) -> dict[Key, Way]:
    """From the depot to the stops in their order, as far as anybody knows where they are."""
    places = {
        (row["source_system"], row["location_id"]): row
        for row in inputs["dispatch", "locations"].filter(pl.col("latitude").is_not_null()).to_dicts()
    }
    found: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in inputs["dispatch", "trips"].to_dicts():
        key = (row["source_system"], row["trip_id"])
        found[key] += [place] if (place := places.get((row["source_system"], row["depot_id"]))) else []
    planned = stops(inputs, ships).filter(pl.col("trip_id").is_not_null())
    for row in planned.sort("sequence_nr", "stop_no", nulls_last=True).to_dicts():
        if place := places.get((row["connection"], row["location_id"])):
            found[row["connection"], row["trip_id"]].append(place)
    return defaultdict(list, {key: list(pairwise(each)) for key, each in found.items()})


def _of_trip(
    lorry: Lorry, unit: Unit, fixes: list[Row], trip: Trip, way: Way, allowed: float
) -> Iterator[Row]:
    """Only of what the lorry did on the trip: a step belongs to it when it ended on it."""
    run: list[Off] = []
    for nr, fix in enumerate(fixes):
        if not (nr and way and trip.is_under_way(fix["positioned_at"])):
            continue
        km = min(_distance_km(fix, *leg) for leg in way)
        if run and not (
            run[-1].nr == nr - 1
            and is_heard(fixes[nr - 1]["positioned_at"], fix["positioned_at"])
            and km > allowed
        ):
            yield from _deviation(lorry, unit, fixes, trip, run, allowed)
            run = []
        if km > allowed:
            run.append(Off(nr, km))
    if run:
        yield from _deviation(lorry, unit, fixes, trip, run, allowed)


def _deviation(
    lorry: Lorry, unit: Unit, fixes: list[Row], trip: Trip, run: list[Off], allowed: float
) -> Iterator[Row]:
    began, seen = fixes[run[0].nr]["positioned_at"], fixes[run[-1].nr]["positioned_at"]
    after = fixes[run[-1].nr + 1]["positioned_at"] if run[-1].nr + 1 < len(fixes) else None
    seconds = (seen - began).total_seconds()
    if seconds >= setting("deviation_s"):
        yield {
            "source_system": unit[0], "device_id": unit[1], "vehicle_id": trip.vehicle_id,
            "trip_connection": trip.connection, "trip_id": trip.trip_id, "local_day": lorry.day(began),
            "started_at": began, "returned_at": after if is_heard(seen, after) else None, "last_seen_at": seen,
            "seen_s": seconds, "farthest_km": max(off.km for off in run), "allowed_km": allowed, "fix_count": len(run),
        }  # fmt: skip


def _distance_km(fix: Row, begin: Row, end: Row) -> float:
    """On a plane laid at the leg's beginning."""
    east_per_degree = KM_PER_DEGREE * math.cos(math.radians(begin["latitude"]))

    def laid(point: Row) -> complex:
        east = degrees_east(begin["longitude"], point["longitude"]) * east_per_degree
        return complex(east, (point["latitude"] - begin["latitude"]) * KM_PER_DEGREE)

    here, leg = laid(fix), laid(end)
    share = ((here * leg.conjugate()).real / abs(leg) ** 2) if leg else 0.0
    return abs(here - min(1.0, max(0.0, share)) * leg)
