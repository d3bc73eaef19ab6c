"""What other carriers ask for their loads: a statement each Monday, with a line for each way and what comes on top."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from sandbox.world.happenings import Freight, Scan
from sandbox.world.model import Shipment, World, rounded
from sandbox.world.moments import END
from sandbox.world.ordering import local

OWN_FLEET = "WB-FLEET"
_BASE = Decimal(24)
_PER_KG = Decimal("0.085")


def charges(world: World) -> list[Freight]:
    """Every line of every statement, also of those still to come; needs the scans, which prove that a load left."""
    rng = random.Random(f"freight {world.seed} {len(world.orders)}")
    shipped = {scan.shipment.id: scan for scan in world.scans if scan.step == "shipping" and not scan.wrong}
    lines: Counter[tuple[str, datetime]] = Counter()
    found: list[Freight] = []
    for shipment in world.shipments:
        if not shipment.delivered or shipment.fault or shipment.carrier == OWN_FLEET:
            continue
        stated = _next_monday(shipment)
        for basis, amount in _asked(rng, shipment):
            if stated <= END:
                lines[shipment.carrier, stated] += 1
                number = f"{shipment.carrier}-{stated:%Y%m%d}-{lines[shipment.carrier, stated]:04d}"
                found.append(_line(number, shipment, basis, amount, stated, shipped.get(shipment.id)))
    return found


def _line(
    number: str, shipment: Shipment, basis: str, amount: Decimal, stated: datetime, evidence: Scan | None
) -> Freight:
    currency = shipment.order.currency
    centre = f"Road - {shipment.order.company}"
    return Freight(number, shipment, basis, rounded(amount, currency), currency, stated, centre, evidence)


def _asked(rng: random.Random, shipment: Shipment) -> Iterator[tuple[str, Decimal]]:
    """The load by its weight, fuel on top of it, and now and then the time that the lorry stood."""
    weight = sum(
        (line.item.weight * shipment.goods.get(line.id, 0) for line in shipment.order.lines), Decimal(0)
    )
    freight = _BASE + _PER_KG * weight * Decimal(rng.randint(90, 115)) / 100
    yield "weight", freight
    yield "fuel surcharge", freight * Decimal(rng.randint(8, 12)) / 100
    if rng.random() < 0.05:
        yield "waiting", Decimal(10 * rng.randint(2, 6))


def _next_monday(shipment: Shipment) -> datetime:
    """Nine o'clock where the carrier's office is, on the Monday after the delivery."""
    depot, delivered = shipment.order.depot, shipment.delivered
    assert delivered
    return local(depot, delivered, 9, days=7 - local(depot, delivered, 12).weekday())
