"""Lorries: how much of what they can carry they were loaded with, by lorry and day of departure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal

from sandbox.world.known import by_now, next_midnight
from sandbox.world.model import Trip, World
from sandbox.world.moments import NOW
from sandbox.world.truth_numbers import Fact, Subject


def loads(world: World, known: Collection[str]) -> Iterator[Fact]:
    """``known``: the shipments whose goods can be read; what a trip with another one carried, nobody knows."""
    capacity = {lorry.id: lorry.capacity_kg for lorry in world.lorries}
    days: defaultdict[tuple[str, date], list[Trip]] = defaultdict(list)
    for trip in world.trips:
        day = Subject(trip.depot.zone).day(trip.departed)
        if by_now(trip.departed) and next_midnight(day, trip.depot.zone) <= NOW:
            days[trip.vehicle, day].append(trip)
    for (vehicle, day), trips in days.items():
        weighed = [trip for trip in trips if all(shipment.id in known for shipment in trip.shipments)]
        depot = trips[0].depot
        cuts = {"depot": depot.id, "region": depot.region, "connection": "sandbox_telematics"}
        yield Fact(
            "load_factor_rate", "default", "ratio", "in" if weighed else "excluded", day, cuts,
            numerator=round(sum(map(_weight, weighed))), denominator=capacity[vehicle] * len(weighed),
        )  # fmt: skip


def _weight(trip: Trip) -> Decimal:
    return sum(
        (
            line.item.weight * shipment.goods.get(line.id, 0)
            for shipment in trip.shipments
            for line in shipment.order.lines
        ),
        Decimal(0),
    )
