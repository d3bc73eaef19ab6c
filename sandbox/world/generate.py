"""The world from seed and size: customers, orders, cancellations, failed attempts, trips, hand-made invoices."""

from __future__ import annotations

import random
from datetime import timedelta

from sandbox.world import (
    behaving,
    correcting,
    driving,
    freight,
    history,
    masters,
    ordering,
    predicting,
    scanning,
    troubles,
    workshop,
)
from sandbox.world.faults import planting
from sandbox.world.model import Order, Shipment, World
from sandbox.world.moments import END, told_once


def generate(seed: int, orders: int) -> World:
    """Everything that happens, without planted faults; equal arguments give equal worlds."""
    rng = random.Random(f"waybill {seed} {orders}")
    depots, items, companies = masters.depots(), masters.items(), masters.companies()
    currency = {company.id: company.currency for company in companies}
    customers = [
        masters.new_customer(rng, nr, depots[nr % len(depots)], currency[depots[nr % len(depots)].company])
        for nr in range(1, max(16, min(160, orders // 8)) + 1)
    ]
    by_depot = {depot.id: [each for each in customers if each.depot == depot.id] for depot in depots}
    made = []
    for number in range(1, orders + 1):
        depot = rng.choices(depots, (45, 25, 22, 8))[0]
        made.append(ordering.new_order(rng, number, rng.choice(by_depot[depot.id]), depot, items))
    for order in made:
        _cancel(rng, order)
    cases = planting.plan(rng, orders + 1, depots, items, orders)
    made += [case.order for case in cases]
    customers += [case.order.customer for case in cases]
    items += planting.own_items(cases, items)
    trips, vehicles = driving.dispatch(rng, _attempts(rng, made), depots)
    again = [shipment for order in made for shipment in _again(order)]
    more, fleet = driving.dispatch(rng, again, depots)
    for trip in more:
        trip.id, trip.vehicle = f"TR-R{trip.id[4:]}", f"{trip.vehicle}R"
    vehicles |= {f"{vehicle}R": f"DEV-{vehicle}R" for vehicle in fleet}
    world = World(seed, made, companies, depots, customers, items, trips + more, vehicles, [])
    _after_dispatch(rng, world)
    planting.after_driving(cases)
    world.cases = cases
    world.invoices = sorted(history.by_hand(rng, world.orders), key=lambda each: (each.posted, each.id))
    _beside(world)
    return world


def _beside(world: World) -> None:
    """What hangs on all that, each from numbers of its own."""
    world.lorries, world.visits = workshop.lorries(world), workshop.visits(world)
    world.etas, world.scans = predicting.predict(world), scanning.scans(world)
    world.troubles = troubles.troubles(world)
    world.freight, world.harsh = freight.charges(world), behaving.harsh(world)
    correcting.correct(world)


def _cancel(rng: random.Random, order: Order) -> None:
    """One order in forty is cancelled before anything leaves."""
    if rng.random() < 0.025:
        order.cancelled = told_once(order.credit_ok + timedelta(minutes=rng.uniform(1, 15)))
        order.shipments = order.shipments[:1]
        order.shipments[0].cancelled = order.cancelled
        order.shipments[0].allocated = min(order.shipments[0].allocated, order.credit_ok)


def _attempts(rng: random.Random, orders: list[Order]) -> list[Shipment]:
    """All shipments in order of allocation; at one in thirty nobody is there."""
    shipments = [shipment for order in orders for shipment in order.shipments]
    for shipment in shipments:
        shipment.is_failed = rng.random() < 0.033 and not shipment.fault
    return sorted(shipments, key=lambda each: (each.allocated, each.id))


def _again(order: Order) -> list[Shipment]:
    """A redelivery for each failed attempt: a shipment of its own that names the first."""
    found = []
    for shipment in list(order.shipments):
        if shipment.is_failed and shipment.pods and not order.cancelled:
            allocated = told_once(shipment.pods[-1].received + timedelta(hours=2))
            if allocated < END:
                retry = Shipment(
                    f"{shipment.id}R", order, dict(shipment.goods), allocated, "redelivery", shipment.id
                )
                order.shipments.append(retry)
                found.append(retry)
    return found


def _after_dispatch(rng: random.Random, world: World) -> None:
    """Now and then an order is cancelled on the road and comes back undelivered."""
    for trip in world.trips:
        shipment = trip.shipments[-1]
        order = shipment.order
        if (
            len(order.shipments) == 1
            and not shipment.fault
            and not shipment.is_failed
            and rng.random() < 0.02
        ):
            order.cancelled = told_once(trip.departed + timedelta(minutes=10))
            shipment.cancelled, shipment.pods, shipment.is_failed = order.cancelled, [], True
