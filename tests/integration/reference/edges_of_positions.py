"""How often what is hard to judge of positions occurs in a set of worlds, to the second where a limit is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.reference.lorries import Row, lorries
from tests.reference.stops import setting
from tests.support.random_worlds.world import Row as RawRow

Rows = Mapping[tuple[str, str], Sequence[RawRow]]


def told_of(rows: Rows) -> dict[str, int]:
    """What units sent, and who is known to carry them."""
    fixes, vehicles = rows["telematics", "positions"], rows["dispatch", "vehicles"]
    keys = Counter((row["source_system"], row["device_id"], row["positioned_at"]) for row in fixes)
    versions = Counter((*key, row.get("source_version")) for row, key in ((row, _key(row)) for row in fixes))
    units: dict[str, set[str]] = {}
    for row in vehicles:
        units.setdefault(f"{row['source_system']} {row['vehicle_id']}", set()).add(row["device_id"])
    return {
        "a fix that came twice": sum(many > 1 for many in versions.values()),
        "a fix that was corrected": sum(many > versions[(*key, None)] for key, many in keys.items()),
        "a fix out of order": sum(
            a["positioned_at"] > b["positioned_at"] for a, b in pairwise(fixes) if _unit(a) == _unit(b)
        ),
        "a unit that two systems hear": _many((row["device_id"], row["source_system"]) for row in fixes),
        "a unit that was exchanged": sum(len(each) > 1 for each in units.values()),
        "a number that two lorries have": _many(
            (row["vehicle_id"], row["source_system"]) for row in vehicles
        ),
    }


def of_visits(passages: list[Row], inputs: Any) -> dict[str, int]:
    known = lorries(inputs)
    lasting = [each for each in passages if each["inside_s"] >= setting("shortest_visit_s")]
    apart = list(_apart(lasting))
    return {
        "a visit seen from end to end": _count(lasting, lambda each: each["dwell_s"] is not None),
        "a visit of which a silence hides the end": _count(lasting, lambda each: not each["is_departure_seen"] and not each["is_open"]),
        "a visit of which a silence hides the beginning": _count(lasting, lambda each: not each["is_arrival_seen"]),
        "a visit that goes on": _count(lasting, lambda each: each["is_open"]),
        "jitter on the border": _count(lasting, lambda each: each["border_count"] > 2),
        "a visit of a minute": _count(lasting, lambda each: each["inside_s"] == 60),
        "a minute less one second": _count(passages, lambda each: each["inside_s"] == 59),
        "three minutes away": _count(lasting, lambda each: 180 in each["absences_s"]),
        "three minutes and a second away": sum(each == 181 for each in apart),
        "a quarter of an hour of silence at a place": _count(lasting, lambda each: 900 in each["silences_s"]),
        "a second more of silence": _count(lasting, lambda each: each["before_s"] == 901),
        "a visit over midnight": _count(
            lasting, lambda each: known[each["source_system"], each["device_id"]].day(each["last_inside_at"]) != each["local_day"]
        ),
        "two places at once": sum(b["arrived_at"] < a["last_inside_at"] for a, b in _in_turn(lasting)),
        "a visit on the antimeridian": _count(lasting, lambda each: each["location_id"] in ANTIMERIDIAN),
    }  # fmt: skip


ANTIMERIDIAN = {f"W{number:02d}-X0" for number in (3, 9, 15, 21)}


def of_stays(stays: list[Row], inputs: Any) -> dict[str, int]:
    known = lorries(inputs)
    return {
        "a stay of five minutes": _count(stays, lambda each: each["seen_s"] == setting("standing_s")),
        "a stay of which a silence hides the end": _count(stays, lambda each: each["ended_at"] is None and not each["is_open"]),
        "a stay that goes on": _count(stays, lambda each: each["is_open"]),
        "a stay at no known place": _count(stays, lambda each: each["location_id"] is None),
        "a stay over midnight": _count(
            stays, lambda each: known[each["source_system"], each["device_id"]].day(each["last_seen_at"]) != each["local_day"]
        ),
        "a stay on the antimeridian": _count(stays, lambda each: abs(each["longitude"]) > 179.999),
    }  # fmt: skip


def of_deviations(deviations: list[Row]) -> dict[str, int]:
    return {
        "a departure from a route": _count(deviations, lambda each: each["allowed_km"] == 3),
        "a departure from the straight way": _count(deviations, lambda each: each["allowed_km"] == 15),
        "a return that a silence hides": _count(deviations, lambda each: each["returned_at"] is None),
        "a departure in the far east or west": _count(
            deviations, lambda each: f"{each['trip_id'][:3]}-X0" in ANTIMERIDIAN
        ),
    }


def of_stops(stops: list[Row]) -> dict[str, int]:
    return {
        "a stop with its visit": _count(stops, lambda each: each["visited_at"] is not None),
        "a stop four hours from its visit": _count(stops, lambda each: each["apart_s"] == 14_400),
        "a second too far": _count(stops, lambda each: each["nearest_s"] == 14_401),
        "a stop that is planned alone": _count(
            stops, lambda each: each["visited_at"] and not each["arrived_at"]
        ),
        "a stop whose lorry was not seen to come": _count(
            stops, lambda each: each["visited_at"] and not each["telematics_arrived_at"]
        ),
        "a stop whose lorry was not seen to leave": _count(
            stops, lambda each: each["telematics_arrived_at"] and not each["telematics_departed_at"]
        ),
    }


def of_days(days: Any) -> dict[str, int]:
    return {
        **{
            f"a heard day of {hours} hours": sum(
                day.length_s == hours * 3600 and day.fix_count > 0 for day in days
            )
            for hours in (23, 23.5, 24, 25)
        },
        "a day without a usable fix": sum(0 < day.fix_count == day.excluded_fix_count for day in days),
        "a late fix": sum(day.late_fix_count > 0 for day in days),
    }


def _count(rows: list[Row], is_meant: Any) -> int:
    return sum(bool(is_meant(row)) for row in rows)


def _key(row: RawRow) -> tuple[str, str, datetime]:
    return row["source_system"], row["device_id"], row["positioned_at"]


def _unit(row: RawRow) -> tuple[str, str]:
    return row["source_system"], row["device_id"]


def _many(pairs: Any) -> int:
    """How many names belong to more than one."""
    return sum(many > 1 for many in Counter(name for name, _ in set(pairs)).values())


def _in_turn(lasting: list[Row]) -> list[tuple[Row, Row]]:
    """Visits of one unit to places of one dispatch, each with the next."""
    ordered = sorted(
        lasting, key=lambda each: (*_unit(each), each["location_connection"], each["arrived_at"])
    )
    return [
        (a, b) for a, b in pairwise(ordered)
        if (*_unit(a), a["location_connection"]) == (*_unit(b), b["location_connection"])
    ]  # fmt: skip


def _apart(lasting: list[Row]) -> list[float]:
    """Seconds between two visits of one unit to one place."""
    ordered = sorted(lasting, key=lambda each: (*_unit(each), each["location_id"], each["arrived_at"]))
    return [
        (b["arrived_at"] - a["last_inside_at"]).total_seconds() for a, b in pairwise(ordered)
        if (*_unit(a), a["location_id"]) == (*_unit(b), b["location_id"])
    ]  # fmt: skip
