"""Proofs that were corrected at the door: signed for one piece less, then replaced by the one that holds.

The one that holds is the one that would be there anyway, so what is billed and measured is the same.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from sandbox.world.model import Pod, Shipment, World
from sandbox.world.moments import NOW

SHARE = 0.033


def correct(world: World) -> None:
    """Puts a wrong proof before ``SHARE`` of those that stand alone and had come by NOW."""
    rng = random.Random(f"corrections {world.seed} {len(world.orders)}")
    for shipment in world.shipments:
        if rng.random() < SHARE and _is_simple(shipment):
            (right,) = shipment.pods
            wrong = _mistaken(right)
            shipment.pods = [wrong, replace(right, supersedes=wrong.id)]


def _is_simple(shipment: Shipment) -> bool:
    return (
        not shipment.fault
        and len(shipment.pods) == 1
        and shipment.pods[0].outcome == "succeeded"
        and shipment.pods[0].received <= NOW
        and max(shipment.pods[0].delivered.values()) > 1
    )


def _mistaken(right: Pod) -> Pod:
    """Three seconds earlier, with a piece of the biggest line missing; the upload came earlier too."""
    line = max(right.delivered, key=lambda each: right.delivered[each])
    return replace(
        right,
        id=f"{right.id}-A",
        captured=right.captured - timedelta(seconds=3),
        received=right.captured + (right.received - right.captured) / 3,
        outcome="partiallySucceeded",
        delivered=right.delivered | {line: right.delivered[line] - 1},
    )
