"""What is made of positions, in SQL and in Python: visits, stays, departures from the way, stops and days of lorries.

The lorries of ``tests/support/random_worlds/tracks`` do in every world what is hard to judge.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl
import pytest

from tests.integration.reference import edges_of_positions as edges
from tests.integration.reference.conftest import SEED, Sides
from tests.integration.reference.test_marts_agree_with_the_reference import told
from tests.reference.compare import differences
from tests.reference.lorries import Row
from tests.reference.shipments import shipments
from tests.reference.stays import stays
from tests.reference.stop_visits import matched
from tests.reference.vehicles import Day, days
from tests.reference.visits import passages
from tests.reference.ways import deviations
from tests.support.random_worlds.world import Row as RawRow

UNIT = ("source_system", "device_id")
VISIT = (*UNIT, "location_connection", "location_id", "arrived_at")
OF_VISITS = (
    "vehicle_id", "location_kind", "local_day", "stop_id", "trip_id", "is_planned", "departed_at", "last_inside_at",
    "is_arrival_seen", "is_departure_seen", "is_open", "dwell_s", "fix_count", "nearest_m",
)  # fmt: skip
STAY = (*UNIT, "started_at")
OF_STAYS = (
    "vehicle_id", "local_day", "ended_at", "last_seen_at", "is_open", "seen_s", "latitude", "longitude",
    "location_connection", "location_id", "fix_count",
)  # fmt: skip
DEVIATION = (*UNIT, "trip_connection", "trip_id", "started_at")
OF_DEVIATIONS = (
    "vehicle_id",
    "local_day",
    "returned_at",
    "last_seen_at",
    "seen_s",
    "farthest_km",
    "allowed_km",
    "fix_count",
)
STOP = ("source_system", "stop_id")
OF_STOPS = (
    "trip_id", "vehicle_id", "depot_id", "company_id", "customer_id", "carrier_id", "location_id", "region",
    "sequence_nr", "planned_start_at", "planned_end_at", "arrived_at", "departed_at", "telematics_arrived_at",
    "telematics_departed_at", "visited_at", "visit_connection", "free_time_s", "shipment_count", "is_delivery",
    "delivered_count", "failed_count", "lateness_s", "dwell_s", "telematics_dwell_s", "arrival_difference_s",
    "detention_s", "is_detention_billable",
)  # fmt: skip
VEHICLE_DAY = (*UNIT, "local_day")
OF_DAYS = (
    "vehicle_id", "time_zone", "depot_id", "region", "fix_count", "excluded_fix_count", "late_fix_count",
    "first_fix_at", "last_fix_at", "event_count", "late_event_count", "out_of_order_event_count", "distance_km",
    "loaded_km", "trip_count", "weighed_trip_count", "loaded_kg", "offered_kg", "working_s", "idle_s",
    "in_service_s", "maintenance_s", "available_s", "unknown_s",
)  # fmt: skip
STOPS_AND_VISITS = """
    SELECT stops.*, visits.arrived_at AS visited_at, visits.source_system AS visit_connection
    FROM marts.fct_stops AS stops LEFT JOIN canonical.canonical_geofence_visits AS visits USING (geofence_visit_key)
"""


class Made(NamedTuple):
    """What the reference makes of positions."""

    visits: list[Row]
    passages: list[Row]
    stops: list[Row]
    stays: list[Row]
    deviations: list[Row]
    days: list[Day]


@pytest.fixture(scope="module")
def made(sides: Sides) -> Made:
    ships = shipments(sides.inputs)
    visits, stops = matched(sides.inputs, ships)
    return Made(
        visits,
        passages(sides.inputs),
        stops,
        stays(sides.inputs),
        deviations(sides.inputs, ships),
        days(sides.inputs),
    )


def frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)


def day_row(day: Day) -> Row:
    lorry, is_served = day.lorry, day.lorry.serves(day.day)
    capacity = lorry.vehicle.get("capacity_kg") or 0
    weighed = [trip.loaded_kg for trip in day.trips if trip.loaded_kg is not None and capacity > 0]
    counted = {
        name: getattr(day, name)
        for name in OF_DAYS
        if name.endswith(("_count", "_fix_at")) and hasattr(day, name)
    }
    return counted | {
        "source_system": lorry.connection, "device_id": lorry.device, "local_day": day.day,
        "vehicle_id": lorry.vehicle.get("vehicle_id"), "time_zone": lorry.zone,
        "depot_id": lorry.home.get("location_id"), "region": lorry.home.get("region"),
        "distance_km": day.driven_km, "loaded_km": day.loaded_km, "trip_count": len(day.trips),
        "weighed_trip_count": len(weighed), "loaded_kg": float(sum(weighed)) if weighed else None,
        "offered_kg": float(capacity * len(weighed)) if weighed else None, "working_s": day.working_s,
        "idle_s": day.idle_s, "in_service_s": day.length_s if is_served else 0.0,
        "maintenance_s": day.workshop_s if is_served else 0.0,
        "available_s": day.length_s - day.workshop_s if is_served else 0.0,
        "unknown_s": day.length_s - day.working_s - day.idle_s,
    }  # fmt: skip


def test_both_saw_the_same_visits(sides: Sides, made: Made) -> None:
    theirs = sides.read("SELECT * FROM canonical.canonical_geofence_visits")
    found = differences(frame(made.visits), theirs, VISIT, OF_VISITS)
    assert not found, told(found)


def test_both_saw_the_same_stays(sides: Sides, made: Made) -> None:
    theirs = sides.read("SELECT * FROM canonical.canonical_vehicle_stops")
    found = differences(frame(made.stays), theirs, STAY, OF_STAYS)
    assert not found, told(found)


def test_both_saw_the_same_departures_from_the_way(sides: Sides, made: Made) -> None:
    theirs = sides.read("SELECT * FROM canonical.canonical_route_deviations")
    found = differences(frame(made.deviations), theirs, DEVIATION, OF_DEVIATIONS)
    assert not found, told(found)


def test_both_tell_the_same_of_every_stop(sides: Sides, made: Made) -> None:
    found = differences(frame(made.stops), sides.read(STOPS_AND_VISITS), STOP, OF_STOPS)
    assert not found, told(found)


def test_both_tell_the_same_of_every_day_of_a_lorry(sides: Sides, made: Made) -> None:
    theirs = sides.read("SELECT * FROM marts.fct_vehicle_days")
    # Published in whole metres.
    slack = {"distance_km": 0.000_501, "loaded_km": 0.000_501}
    found = differences(frame([day_row(day) for day in made.days]), theirs, VEHICLE_DAY, OF_DAYS, slack)
    assert not found, told(found)


def test_everything_that_is_hard_to_judge_happens(
    rows: dict[tuple[str, str], list[RawRow]], sides: Sides, made: Made
) -> None:
    found = {
        **edges.told_of(rows),
        **edges.of_visits(made.passages, sides.inputs),
        **edges.of_stays(made.stays, sides.inputs),
        **edges.of_deviations(made.deviations),
        **edges.of_stops(made.stops),
        **edges.of_days(made.days),
    }
    assert [name for name, many in found.items() if not many] == [], f"seed {SEED}"
