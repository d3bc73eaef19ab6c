"""Stops as they are published: what dispatch says of each, and the visit of its lorry that it was."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import polars as pl

from tests.reference.inputs import Inputs
from tests.reference.lorries import Row
from tests.reference.stops import setting, stops
from tests.reference.visits import visits


def matched(inputs: Inputs, ships: pl.DataFrame) -> tuple[list[Row], list[Row]]:
    """Visits with their planned stop, and stops with their visit: of each the nearest within the time that is allowed."""
    seen, planned = visits(inputs), stops(inputs, ships).to_dicts()
    nearest: defaultdict[int, list[float]] = defaultdict(list)
    of_visit: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
    of_stop: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
    by_place: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for nr, visit in enumerate(seen):
        if visit["vehicle_connection"] == visit["location_connection"]:
            by_place[visit["location_connection"], visit["vehicle_id"], visit["location_id"]].append(nr)
    for number, stop in enumerate(planned):
        expected = stop["arrived_at"] or stop["planned_start_at"] or stop["planned_end_at"]
        for nr in by_place[stop["connection"], stop["vehicle_id"], stop["location_id"]] if expected else ():
            apart = abs((seen[nr]["arrived_at"] - expected).total_seconds())
            nearest[number].append(apart)
            if apart <= setting("stop_match_s"):
                of_visit[nr].append((apart, number))
                of_stop[number].append((apart, nr))
    told = [visit | _stop_of(planned, of_visit[nr]) for nr, visit in enumerate(seen)]
    return told, [
        _published(stop, seen, of_stop[number]) | {"nearest_s": min(nearest[number], default=None)}
        for number, stop in enumerate(planned)
    ]


def _stop_of(planned: list[Row], near: list[tuple[float, int]]) -> Row:
    if not near:
        return {"stop_id": None, "trip_id": None, "is_planned": False}
    stop = planned[min(near)[1]]
    return {"stop_id": stop["stop_no"], "trip_id": stop["trip_id"], "is_planned": True}


def _published(stop: Row, seen: list[Row], near: list[tuple[float, int]]) -> Row:
    apart, nr = min(near, default=(None, None))
    visit = seen[nr] if nr is not None else {}
    came = visit.get("arrived_at") if visit.get("is_arrival_seen") else None
    left = visit.get("departed_at")
    stayed = _seconds(stop["arrived_at"], stop["departed_at"])
    free = stop["free_time_s"]
    beyond = max(stayed - free, 0.0) if stayed is not None and free is not None else None
    return stop | {
        "stop_id": stop["stop_no"], "source_system": stop["connection"], "time_zone": stop["zone"],
        "telematics_arrived_at": came, "telematics_departed_at": left,
        "visited_at": visit.get("arrived_at"), "visit_connection": visit.get("source_system"),
        "lateness_s": _seconds(stop["planned_start_at"], stop["arrived_at"]), "dwell_s": stayed,
        "telematics_dwell_s": _seconds(came, left), "arrival_difference_s": _seconds(came, stop["arrived_at"]),
        "detention_s": beyond, "is_detention_billable": _is_billable(stop, beyond), "apart_s": apart,
    }  # fmt: skip


def _is_billable(stop: Row, beyond: float | None) -> bool | None:
    """A charge that names the stop tells what the contract allows; nobody pays for no waiting."""
    if stop["is_charged"]:
        return True
    return False if beyond == 0 else None


def _seconds(start: Any, end: Any) -> float | None:
    return (end - start).total_seconds() if start is not None and end is not None else None
