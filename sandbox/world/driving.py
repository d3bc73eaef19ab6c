"""Trips in waves from each depot, stops, deliveries and proofs; nothing before the goods are released."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from sandbox.world.model import Depot, Pod, Shipment, Trip
from sandbox.world.moments import END, of_sure_age, told_once
from sandbox.world.ordering import local

_WAVES = (5, 8, 11, 14)
_STOPS = 4


def dispatch(
    rng: random.Random, shipments: Iterable[Shipment], depots: list[Depot]
) -> tuple[list[Trip], dict[str, str]]:
    """Trips over all shipments that are not cancelled before they leave, and the device of each vehicle."""
    waves: defaultdict[tuple[str, datetime], list[Shipment]] = defaultdict(list)
    by_id = {depot.id: depot for depot in depots}
    for shipment in shipments:
        order = shipment.order
        if order.cancelled and not shipment.fault:
            continue
        waves[order.depot.id, wave_after(order.depot, max(order.credit_ok, shipment.allocated))].append(
            shipment
        )
    trips: list[Trip] = []
    fleet: dict[str, datetime] = {}
    for (depot_id, leaves), group in sorted(waves.items(), key=lambda each: (each[0][1], each[0][0])):
        if leaves > END:
            continue
        for start in range(0, len(group), _STOPS):
            vehicle = _free_vehicle(fleet, depot_id, leaves)
            trip = _drive(
                rng, len(trips) + 1, by_id[depot_id], vehicle, leaves, group[start : start + _STOPS]
            )
            fleet[vehicle] = trip.back + timedelta(minutes=30)
            trips.append(trip)
    return trips, {vehicle: f"DEV-{vehicle}" for vehicle in sorted(fleet)}


def wave_after(depot: Depot, released: datetime) -> datetime:
    """The first departure from the depot an hour or more after the release."""
    ready = released + timedelta(hours=1)
    for days in (0, 1):
        for hour in _WAVES:
            moment = local(depot, ready, hour, days=days)
            if moment >= ready:
                return moment
    raise AssertionError("a day has waves")


def _free_vehicle(fleet: dict[str, datetime], depot: str, leaves: datetime) -> str:
    for vehicle, free in fleet.items():
        if vehicle.startswith(f"V-{depot}") and free <= leaves:
            return vehicle
    return f"V-{depot}-{sum(v.startswith(f'V-{depot}') for v in fleet) + 1:02d}"


def _drive(
    rng: random.Random, number: int, depot: Depot, vehicle: str, leaves: datetime, group: list[Shipment]
) -> Trip:
    moment = leaves + timedelta(seconds=rng.randint(0, 1500))
    trip = Trip(
        f"TR-{number:05d}", depot, vehicle, f"DRV-{depot.id}-{number % 17 + 1:02d}", moment, moment, group
    )
    for shipment in group:
        moment += timedelta(seconds=rng.randint(1500, 4500))
        shipment.trip, shipment.arrived = trip, moment
        moment = of_sure_age(moment + timedelta(seconds=rng.randint(420, 1500)))
        shipment.delivered = moment
        prove(rng, shipment)
    trip.back = moment + timedelta(seconds=rng.randint(1500, 3600))
    return trip


def prove(rng: random.Random, shipment: Shipment) -> None:
    """The proof of what happened at the door: usually at once, now and then uploaded a day late."""
    captured = (shipment.delivered or shipment.order.ordered) + timedelta(seconds=rng.randint(5, 200))
    clean = bool(shipment.fault)
    lag = 60.0 if clean else rng.uniform(6 * 3600, 40 * 3600) if rng.random() < 0.05 else rng.uniform(15, 900)
    received = told_once(captured + timedelta(seconds=lag))
    goods, outcome = dict(shipment.goods), "succeeded"
    if shipment.is_failed:
        goods, outcome = {}, "failed"
    elif not clean and rng.random() < 0.06:
        short = max(goods, key=lambda line: goods[line])
        if goods[short] > 1:
            goods[short] -= rng.randint(1, goods[short] // 2)
            outcome = "partiallySucceeded"
    place = shipment.order.customer
    key = shipment.id[3:]
    shipment.pods.append(
        Pod(
            f"POD-{key}",
            captured,
            received,
            outcome,
            goods,
            place.lat + rng.uniform(-4e-4, 4e-4),
            place.lon + rng.uniform(-4e-4, 4e-4),
            None if shipment.is_failed else f"SIG-{key}",
            f"PHO-{key}",
            "NO_ONE_HOME" if shipment.is_failed else "",
        )
    )
