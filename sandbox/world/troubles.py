"""Cases of the case system: what went wrong with a shipment, from its beginning until it is settled, or not yet.

Most shipments that come late or fail have one. Some wait for the customer, some are opened again, some twice.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from sandbox.world.happenings import Change, Trouble
from sandbox.world.known import deadline
from sandbox.world.model import Shipment, World
from sandbox.world.moments import of_sure_age

_CODES = {
    "business": (("RECEIVER_ABSENT", "medium"), ("TRAFFIC", "low"), ("LOADING_DELAY", "medium")),
    "data": (("ADDRESS_WRONG", "high"), ("TIME_WINDOW_WRONG", "medium")),
    "technical": (("SCANNER_DOWN", "low"), ("BREAKDOWN", "critical")),
}
_CAUSES = ("business", "data", "technical")
_HOUR = timedelta(hours=1)


def troubles(world: World) -> list[Trouble]:
    """Every case with all its turns, also those still to come."""
    rng = random.Random(f"troubles {world.seed} {len(world.orders)}")
    found: list[Trouble] = []
    for shipment in world.shipments:
        if not shipment.trip or shipment.fault:
            continue
        is_bad = shipment.is_failed or (shipment.delivered or shipment.order.ordered) > deadline(
            shipment.order
        )
        draw, cause = rng.random(), rng.choices(_CAUSES, (50, 30, 20))[0]
        if draw < (0.7 if is_bad else 0.03):
            found += _case(rng, len(found) + 1, shipment, cause)
    return found


def _case(rng: random.Random, number: int, shipment: Shipment, cause: str) -> list[Trouble]:
    departed, arrived = shipment.departed, shipment.arrived
    assert departed and arrived
    code, severity = rng.choice(_CODES[cause])
    opened = of_sure_age(departed + (arrived - departed) * rng.random())
    first = Trouble(f"EX-{number:05d}", shipment, code, severity, cause)
    end = _turns(rng, first, opened)
    if rng.random() >= 0.06:
        return [first]
    # Somebody else reports the same thing while it is open.
    again = Trouble(f"EX-{number + 1:05d}", shipment, code, severity, cause, repeats=first.id)
    moment = opened + (end - opened) * rng.uniform(0.2, 0.8)
    again.changes = [_told(rng, "opened", moment), _told(rng, "resolved", end + timedelta(minutes=20))]
    return [first, again]


def _turns(rng: random.Random, case: Trouble, opened: datetime) -> datetime:
    """Fills the case; returns when it was first settled."""
    case.changes.append(_told(rng, "opened", opened))
    # Nobody works on what nobody has noticed.
    moment = case.changes[0].detected + _HOUR * rng.lognormvariate(0.8, 0.8)
    if rng.random() < 0.3:
        case.changes.append(_told(rng, "paused", moment, is_for_customer=rng.random() < 0.7))
        moment += _HOUR * rng.uniform(1, 20)
        case.changes.append(_told(rng, "resumed", moment))
        moment += _HOUR * rng.uniform(0.5, 5)
    if rng.random() < 0.06:
        return moment + 400 * _HOUR
    case.changes.append(_told(rng, "resolved", moment))
    if rng.random() < 0.1:
        again = moment + _HOUR * rng.uniform(2, 30)
        case.changes.append(_told(rng, "reopened", again))
        case.changes.append(_told(rng, "resolved", again + _HOUR * rng.uniform(1, 12)))
    return moment


def _told(rng: random.Random, word: str, moment: datetime, *, is_for_customer: bool = False) -> Change:
    """Only a beginning is noticed late; the rest is typed in by whoever does it."""
    late = rng.uniform(2, 90) if word == "opened" else 0.0
    return Change(word, moment, moment + timedelta(minutes=late), is_for_customer)
