"""Visits of units to known places, from their usable fixes, one unit and one place after another."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from tests.reference.inputs import Inputs
from tests.reference.lorries import Lorry, Row, Unit, is_heard, is_somewhere, lorries, usable_fixes, way_km
from tests.reference.stops import setting

Fix = tuple[int, datetime, float]
"""Which one of its unit it is, when it was taken, and how many metres from the place."""
_CELL = 0.01
"""Degrees: a fix meets the places of its own square and of those around it."""


def visits(inputs: Inputs) -> list[Row]:
    """Those that lasted: who was seen at a place for less passed by."""
    return [each for each in passages(inputs) if each["inside_s"] >= setting("shortest_visit_s")]


def passages(inputs: Inputs) -> list[Row]:
    """From the first fix in the inner circle to the last one, while the unit stayed in the outer one, however short."""
    known, good = lorries(inputs), usable_fixes(inputs)
    places = [row for row in inputs["dispatch", "locations"].to_dicts() if is_somewhere(row)]
    squares: defaultdict[tuple[int, int], list[Row]] = defaultdict(list)
    for place in places:
        squares[_square(place)].append(place)
    return [
        visit
        for unit, fixes in good.items()
        for place, near in _near(fixes, squares)
        for visit in _of_place(known[unit], unit, place, near, fixes)
    ]


def _square(row: Row) -> tuple[int, int]:
    return math.floor(row["latitude"] / _CELL), math.floor((row["longitude"] % 360) / _CELL)


def _near(fixes: list[Row], squares: dict[tuple[int, int], list[Row]]) -> Iterator[tuple[Row, list[Fix]]]:
    """Each place with the fixes in its outer circle."""
    around = round(360 / _CELL)
    found: defaultdict[tuple[str, str], list[Fix]] = defaultdict(list)
    places: dict[tuple[str, str], Row] = {}
    for nr, fix in enumerate(fixes):
        row, column = _square(fix)
        met = [
            place
            for north in (-1, 0, 1)
            for east in (-1, 0, 1)
            for place in squares.get((row + north, (column + east) % around), ())
        ]
        for place in met:
            metres = 1000 * way_km(place, fix)
            if metres <= setting("departure_radius_m"):
                key = (place["source_system"], place["location_id"])
                places[key] = place
                found[key].append((nr, fix["positioned_at"], metres))
    for key, near in found.items():
        yield places[key], near


def _of_place(lorry: Lorry, unit: Unit, place: Row, near: list[Fix], fixes: list[Row]) -> Iterator[Row]:
    stays: list[list[Fix]] = [near[:1]]
    for before, after in pairwise(near):
        if _stayed(before, after):
            stays[-1].append(after)
        else:
            stays.append([after])
    for stay in stays:
        inside = [moment for _, moment, metres in stay if metres <= setting("arrival_radius_m")]
        if inside:
            yield _visit(lorry, unit, place, stay, inside, fixes)


def _stayed(before: Fix, after: Fix) -> bool:
    """No fix between them was elsewhere and nothing was hidden; or it was away for too short a time to have left."""
    is_next = after[0] == before[0] + 1
    away_s = (after[1] - before[1]).total_seconds()
    return (is_next and is_heard(before[1], after[1])) or away_s <= setting("shortest_absence_s")


def _visit(
    lorry: Lorry, unit: Unit, place: Row, stay: list[Fix], inside: list[datetime], fixes: list[Row]
) -> Row:
    first, last = stay[0], stay[-1]
    before = fixes[first[0] - 1]["positioned_at"] if first[0] else None
    after = fixes[last[0] + 1]["positioned_at"] if last[0] + 1 < len(fixes) else None
    came, left = is_heard(before, first[1]), is_heard(last[1], after)
    return {
        "source_system": unit[0], "device_id": unit[1], "vehicle_id": lorry.vehicle.get("vehicle_id"),
        "location_connection": place["source_system"], "location_id": place["location_id"],
        "location_kind": place["kind"], "local_day": lorry.day(inside[0]), "arrived_at": inside[0],
        "last_inside_at": inside[-1], "departed_at": inside[-1] if left else None, "is_arrival_seen": came,
        "is_departure_seen": left, "is_open": after is None, "fix_count": len(stay),
        "dwell_s": (inside[-1] - inside[0]).total_seconds() if came and left else None,
        "nearest_m": min(metres for _, _, metres in stay), "vehicle_connection": lorry.vehicle.get("source_system"),
        "inside_s": (inside[-1] - inside[0]).total_seconds(), "border_count": len(stay) - len(inside),
        "absences_s": _absences(stay), "silences_s": _silences(stay),
        "before_s": (first[1] - before).total_seconds() if before else None,
    }  # fmt: skip


def _absences(stay: list[Fix]) -> list[float]:
    """How long it was away without leaving."""
    return [(b[1] - a[1]).total_seconds() for a, b in pairwise(stay) if b[0] != a[0] + 1]


def _silences(stay: list[Fix]) -> list[float]:
    return [(b[1] - a[1]).total_seconds() for a, b in pairwise(stay) if b[0] == a[0] + 1]
