"""Scans of the two warehouses that have scanners: picked, packed, shipped; one in fifty is declared an error later."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from sandbox.world.happenings import Scan
from sandbox.world.model import Shipment, World

DEPOTS = ("HAM", "CHI")
_STEPS = (
    ("picking", "in_progress", None, timedelta(minutes=50)),
    ("packing", "in_progress", None, timedelta(minutes=35)),
    ("shipping", "in_transit", "24", timedelta(0)),
)
"""Step, disposition, transport status (UN/ECE Rec 24), and how long before the lorry leaves."""

_LATE_MINUTE = 20
"""Lorries are to leave on the hour."""


def scans(world: World) -> list[Scan]:
    """Three of each load; an error is declared hours later, and most get an event in its place."""
    rng = random.Random(f"scans {world.seed} {len(world.orders)}")
    found: list[Scan] = []
    for shipment in world.shipments:
        if shipment.departed and shipment.order.depot.id in DEPOTS:
            for step in range(len(_STEPS)):
                found += _scan(rng, shipment, step, shipment.departed)
    return found


def _scan(rng: random.Random, shipment: Shipment, number: int, departed: datetime) -> list[Scan]:
    step, disposition, status, before = _STEPS[number]
    moment = departed - before
    recorded = moment + timedelta(seconds=rng.randint(1, 90))
    depot, name = shipment.order.depot, f"{shipment.id}-{step}"
    right = Scan(name, shipment, depot, step, disposition, status, moment, recorded)
    if status and departed.minute >= _LATE_MINUTE:
        right.reason = "LATE_LOADING"
    draw = rng.random()
    if draw >= 0.02:
        return [right]
    declared = recorded + timedelta(hours=rng.uniform(1, 6))
    early = moment - timedelta(hours=2)
    if draw < 0.005:
        # Seen once more by mistake, long before: that never happened.
        wrong = Scan(
            f"{name}-0", shipment, depot, step, disposition, status, early, recorded - timedelta(hours=2)
        )
        wrong.wrong = (declared, "did_not_occur", ())
        return [wrong, right]
    right.id, right.recorded = f"{name}-2", declared + timedelta(seconds=30)
    wrong = Scan(name, shipment, depot, step, disposition, status, early, recorded)
    wrong.wrong = (declared, "incorrect_data", (right.id,))
    return [wrong, right]
