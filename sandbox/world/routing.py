"""The way of a trip: what was planned, point by point, and where one lorry in twenty leaves it for a while."""

from __future__ import annotations

import itertools
from datetime import datetime
from math import ceil, hypot

from sandbox.world.model import Trip

Place = tuple[float, float]
Fix = tuple[datetime, float, float]
KM_PER_DEGREE = 111.0
_APART_KM = 10.0
_ASIDE = 0.06
"""Degrees of latitude, some 6 km."""


def distance_km(one: Place, two: Place) -> float:
    """Flat, with meridians as far apart as in the middle latitudes: enough for a made-up world."""
    return hypot(two[0] - one[0], (two[1] - one[1]) * 0.7) * KM_PER_DEGREE


def stops(trip: Trip) -> list[Place]:
    """The depot, each customer in turn, and the depot again."""
    depot = (trip.depot.lat, trip.depot.lon)
    places = [(each.order.customer.lat, each.order.customer.lon) for each in trip.shipments]
    return [depot, *places, depot]


def planned(trip: Trip) -> list[Place]:
    """From stop to stop in straight lines, no two points more than ten kilometres apart."""
    corners = stops(trip)
    found = corners[:1]
    for one, two in itertools.pairwise(corners):
        pieces = max(1, ceil(distance_km(one, two) / _APART_KM))
        found += [
            (one[0] + (two[0] - one[0]) * nr / pieces, one[1] + (two[1] - one[1]) * nr / pieces)
            for nr in range(1, pieces + 1)
        ]
    return found


def detour(trip: Trip) -> Place | None:
    """Where the lorry turns on its way to the first stop instead of driving straight on; None for most trips."""
    if int(trip.id[-4:]) % 20 != 7:
        return None
    (lat, lon), (to_lat, to_lon) = stops(trip)[:2]
    return (lat + to_lat) / 2 + _ASIDE, (lon + to_lon) / 2 - _ASIDE


def driven(trip: Trip) -> list[Fix]:
    """When the lorry was where: at the depot, at its detour, from arrival to delivery at each stop, and back."""
    way = [(trip.departed, trip.depot.lat, trip.depot.lon)]
    turn, first = detour(trip), trip.shipments[0].arrived
    if turn and first:
        way.append((trip.departed + (first - trip.departed) / 2, *turn))
    for shipment in trip.shipments:
        place = shipment.order.customer
        assert shipment.arrived and shipment.delivered
        way += [(shipment.arrived, place.lat, place.lon), (shipment.delivered, place.lat, place.lon)]
    return [*way, (trip.back, trip.depot.lat, trip.depot.lon)]
