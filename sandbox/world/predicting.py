"""Arrival predictions of every stop: planners before the lorry leaves, its telematics on the way; some stops have none.

Drawn from numbers of their own, so that the rest of the world does not depend on them.
"""

from __future__ import annotations

import random
from datetime import timedelta

from sandbox.world.happenings import Eta
from sandbox.world.model import Trip, World

_LEADS = ((26.0, 55), (13.0, 40), (4.5, 26), (2.5, 17), (1.2, 10))
"""Hours before the arrival, and the usual error in minutes of what is told then."""
_KEPT, _NONE, _LATE = 0.6, 0.06, 0.05


def predict(world: World) -> list[Eta]:
    """No prediction before the goods are allocated; one stop in twenty gets one more after the arrival."""
    rng = random.Random(f"predictions {world.seed} {len(world.orders)}")
    return [
        eta for trip in world.trips for nr in range(1, len(trip.shipments) + 1) for eta in _of(rng, trip, nr)
    ]


def _of(rng: random.Random, trip: Trip, nr: int) -> list[Eta]:
    shipment = trip.shipments[nr - 1]
    arrived = shipment.arrived
    assert arrived
    if shipment.fault or rng.random() < _NONE:
        return []
    before = "carrier" if trip.depot.id == "LIS" else "planner"
    found: list[Eta] = []

    def add(issuer: str, issued: float, error: float) -> None:
        moment = arrived - timedelta(seconds=round(issued * 3600))
        expected = max(arrived + timedelta(seconds=round(error * 60)), moment)
        found.append(Eta(f"ETA-{trip.id[3:]}-{nr}-{len(found) + 1}", trip, nr, issuer, moment, expected))

    for hours, usual in _LEADS:
        lead = hours * rng.uniform(0.86, 1.12)
        error, is_kept = rng.gauss(2.0, usual), rng.random() < _KEPT
        issued = arrived - timedelta(hours=lead)
        if is_kept and issued > shipment.allocated:
            add(before if issued < trip.departed else "telematics", lead, error)
    if rng.random() < _LATE:
        add("telematics", -rng.uniform(0.1, 0.4), 0.0)
    return found
