"""Where units stood still, from their usable fixes, one unit after another."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from tests.reference.inputs import Inputs
from tests.reference.lorries import (
    KM_PER_DEGREE,
    Lorry,
    Row,
    Unit,
    degrees_east,
    is_heard,
    is_somewhere,
    lorries,
    usable_fixes,
    way_km,
)
from tests.reference.stops import setting


def stays(inputs: Inputs) -> list[Row]:
    """Each time that a unit stood for long enough, with the nearest known place if one is near."""
    known = lorries(inputs)
    places = [row for row in inputs["dispatch", "locations"].to_dicts() if is_somewhere(row)]
    return [
        _stay(known[unit], unit, stretch, fixes, places)
        for unit, fixes in usable_fixes(inputs).items()
        for stretch in _stood(fixes)
    ]


def _stood(fixes: list[Row]) -> Iterator[tuple[int, int]]:
    """First and last fix of all that is long enough and of which every stretch keeps to one spot."""
    for first, last in _unbroken(fixes):
        stands = [False] * len(fixes)
        for nr in range(first, last):
            end = _ahead(fixes, nr, last)
            if _is_one_spot(fixes[nr : end + 1]):
                stands[nr:end] = [True] * (end - nr)
        begin = first
        for nr in range(first, last + 1):
            if nr == last or not stands[nr]:
                if nr > begin and _length_s(fixes, begin, nr) >= setting("standing_s"):
                    yield begin, nr
                begin = nr + 1


def _unbroken(fixes: list[Row]) -> Iterator[tuple[int, int]]:
    """Runs without a silence and without a step that leads away from any spot."""
    first = 0
    for nr, (before, after) in enumerate(pairwise(fixes), start=1):
        is_near = 1000 * way_km(before, after) <= 2 * setting("standing_radius_m")
        if not (is_near and is_heard(before["positioned_at"], after["positioned_at"])):
            yield first, nr - 1
            first = nr
    yield first, len(fixes) - 1


def _ahead(fixes: list[Row], nr: int, last: int) -> int:
    """The fix that ends the last step that begins within the shortest time of standing."""
    end = nr + 1
    while end < last and _length_s(fixes, nr, end) < setting("standing_s"):
        end += 1
    return end


def _length_s(fixes: list[Row], first: int, last: int) -> float:
    return float((fixes[last]["positioned_at"] - fixes[first]["positioned_at"]).total_seconds())


def _is_one_spot(fixes: list[Row]) -> bool:
    """A box around them is no longer from corner to corner than the spot is wide."""
    south, north = (pick(fix["latitude"] for fix in fixes) for pick in (min, max))
    east_of = [degrees_east(fixes[0]["longitude"], fix["longitude"]) for fix in fixes]
    height = (north - south) * 1000 * KM_PER_DEGREE
    width = (max(east_of) - min(east_of)) * 1000 * KM_PER_DEGREE * math.cos(math.radians(south))
    return math.hypot(height, width) <= 2 * setting("standing_radius_m")


def _stay(lorry: Lorry, unit: Unit, stretch: tuple[int, int], fixes: list[Row], places: list[Row]) -> Row:
    first, last = stretch
    stood = fixes[first : last + 1]
    began, seen = fixes[first]["positioned_at"], fixes[last]["positioned_at"]
    after = fixes[last + 1]["positioned_at"] if last + 1 < len(fixes) else None
    origin = stood[0]["longitude"]
    mean_east = sum(degrees_east(origin, fix["longitude"]) for fix in stood) / len(stood)
    spot = {
        "latitude": sum(fix["latitude"] for fix in stood) / len(stood),
        "longitude": (origin + mean_east + 180) % 360 - 180,
    }
    place = _nearest(spot, places)
    return {
        "source_system": unit[0], "device_id": unit[1], "vehicle_id": lorry.vehicle.get("vehicle_id"),
        "local_day": lorry.day(began), "started_at": began, "ended_at": seen if is_heard(seen, after) else None,
        "last_seen_at": seen, "is_open": after is None, "seen_s": (seen - began).total_seconds(), **spot,
        "location_connection": place.get("source_system"), "location_id": place.get("location_id"),
        "fix_count": len(stood),
    }  # fmt: skip


def _nearest(spot: Row, places: list[Row]) -> Row:
    near = [
        (1000 * way_km(place, spot), place)
        for place in places
        if abs(place["latitude"] - spot["latitude"]) < 0.01
    ]
    metres, place = min(near, key=lambda each: each[0], default=(math.inf, {}))
    return place if metres <= setting("departure_radius_m") else {}
