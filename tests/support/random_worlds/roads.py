"""Lorries and their trips: which stops they make, how long they wait there, what anybody predicted of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from tests.support.random_worlds.world import RandomWorld, Row, by_now

LORRIES = 3
_LEADS_H = (30.0, 26.0, 13.0, 5.0, 3.0, 1.5, 0.6, -0.5)
"""How long before an arrival it was predicted; the last one after it."""


def plant_lorries(world: RandomWorld) -> None:
    """One always in service, one since some day and perhaps not for long, one that nobody says anything of."""
    first = world.day - timedelta(days=2)
    spans = [(None, None), (first, world.pick(None, world.day)), (None, world.day + timedelta(days=1))]
    for number, (start, end) in enumerate(spans, start=1):
        world.add("dispatch", "vehicles", vehicle_id=f"{world.name}-V{number}", device_id=f"{world.name}-U{number}",
                  capacity_kg=world.pick(Decimal(1000), Decimal(2400), None), in_service_from=start,
                  in_service_until=end)  # fmt: skip
    _plant_workshop(world)


def _plant_workshop(world: RandomWorld) -> None:
    """Two orders that overlap, one that goes on, one that was only planned."""
    begin = world.around_the_change()
    for number, (status, start, hours) in enumerate((
        ("completed", begin, 5.0), ("completed", begin + timedelta(hours=2), 30.0), ("started", begin, None),
        ("planned", begin, 4.0), ("completed", begin, None),
    ), start=1):  # fmt: skip
        vehicle = f"{world.name}-V{2 if status == 'started' else 1}"
        if status != "started" or world.chance(0.3):
            world.add("maintenance", "maintenance_orders", maintenance_order_id=f"{world.name}-M{number}",
                      vehicle_id=vehicle, status=status, started_at=start,
                      ended_at=start + timedelta(hours=hours) if hours else None)  # fmt: skip


def plant_trips(world: RandomWorld) -> None:
    """Every consignment that somebody did something with is on a trip, some on the one of the consignment before."""
    acts: dict[str, list[Row]] = {}
    for row in world.rows["dispatch", "actions"]:
        acts.setdefault(row["consignment_id"], []).append(row)
    ships = {row["consignment_id"]: row for row in world.rows["dispatch", "consignments"]}
    trip = ""
    for number, (name, rows) in enumerate(acts.items(), start=1):
        if not trip or world.chance(0.7):
            trip = _trip(world, number)
        stop = f"{trip}-{ships[name]['delivery_location_id']}"
        for row in rows:
            row["trip_id"] = trip
            row["location_id"] = ships[name]["depot_id"]
            if row["action_type"] != "load":
                row |= {"stop_id": stop, "location_id": ships[name]["delivery_location_id"]}
            elif world.chance(0.2):
                row["stop_id"] = stop  # goods for it, loaded elsewhere
        _wait(world, trip, stop, name, [row for row in rows if row["action_type"] == "handOver"])
    for row in world.rows["dispatch", "consignment_lines"]:
        row["weight_kg"] = Decimal(world.dice.randint(1, 900)) if world.chance(0.93) else None


def _trip(world: RandomWorld, number: int) -> str:
    """Of three lorries of whose trips most begin at home; some trips have none yet."""
    vehicle = world.pick(1, 2, 3, None)
    world.add("dispatch", "trips", trip_id=f"{world.name}-T{number}", status="inTransit",
              vehicle_id=f"{world.name}-V{vehicle}" if vehicle else None,
              depot_id=f"{world.name}-D{2 if vehicle == 2 else 1}")  # fmt: skip
    return f"{world.name}-T{number}"


def _wait(world: RandomWorld, trip: str, stop: str, name: str, handed: list[Row]) -> None:
    """A stop around what was handed over; somebody may still be there, or nobody tells of it."""
    if not handed:
        return
    came = handed[0]["start_at"] - world.hours(0, 1)
    if world.chance(0.8):
        left = by_now(handed[-1]["end_at"] + world.hours(0, 2))
        world.add("dispatch", "actions", action_id=f"{stop}-{name}-stop", action_type="stop", lifecycle="realized",
                  trip_id=trip, stop_id=stop, location_id=handed[0]["location_id"], start_at=came,
                  end_at=None if world.chance(0.1) else left, time_quality=world.quality(),
                  free_time_s=world.pick(None, 0, 900, 3600))  # fmt: skip
    else:
        came = handed[0]["start_at"]
    _predict(world, stop, name, came)


def _predict(world: RandomWorld, stop: str, name: str, came: datetime) -> None:
    for number, lead in enumerate(_LEADS_H):
        if world.chance(0.6):
            issued = came - timedelta(hours=lead) + timedelta(seconds=world.dice.randint(-900, 900))
            named = {"stop_id": stop} if world.chance(0.7) else {"consignment_id": name}
            world.add("tms", "eta_predictions", eta_id=f"{stop}-{name}-E{number}", issued_at=issued,
                      issuer=world.pick("telematics", "planner", "carrier"),
                      eta_at=came + world.hours(-1, 1), **named)  # fmt: skip


def plant_charges(world: RandomWorld) -> None:
    """Waiting that was charged where nothing else is: at a stop without a proof."""
    proved = {row["consignment_id"] for row in world.rows["pod", "proofs"]}
    versions = {
        row["consignment_id"]: row["source_version"] for row in world.rows["dispatch", "consignments"]
    }
    for row in world.rows["dispatch", "actions"]:
        name = row.get("consignment_id")
        if row["action_type"] == "handOver" and name not in proved and world.chance(0.7):
            world.add("dispatch", "consignment_charges", charge_id=f"{row['action_id']}-C", consignment_id=name,
                      code=world.pick("waiting", "DETENTION", "TOLL"), amount=Decimal(20),
                      currency=world.rows["erp", "companies"][0]["currency"], source_version=versions[name],
                      evidence_action_id=row["action_id"])  # fmt: skip
