"""Invoices made by hand before go-live, 2 to 9 days after the proof, with the usual errors and habits."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.world.model import Invoice, Order, Shipment
from sandbox.world.moments import GO_LIVE, told_once


def by_hand(rng: random.Random, orders: list[Order]) -> list[Invoice]:
    """For every delivery proven before go-live, except what was forgotten; what is doubled is credited."""
    made: list[Invoice] = []
    for order in orders:
        its = [shipment for shipment in order.shipments if _is_to_bill(shipment)]
        if len(its) > 1 and len(its) == len(order.shipments) and rng.random() < 0.3:
            _together(rng, made, order)
            continue
        for shipment in its:
            draw = rng.random()
            if draw >= 0.01:
                _one(rng, made, shipment, draw)
    return made


def _is_to_bill(shipment: Shipment) -> bool:
    pod = shipment.pods[-1] if shipment.pods else None
    return not (pod is None or shipment.fault or pod.outcome == "failed" or pod.received >= GO_LIVE)


def _together(rng: random.Random, made: list[Invoice], order: Order) -> None:
    """One invoice for all parts of an order, after the last of them; it names the order alone."""
    posted = _posted(rng, max(shipment.pods[-1].received for shipment in order.shipments))
    quantities: Counter[str] = Counter()
    for shipment in order.shipments:
        shipment.is_billed_by_hand = True
        quantities.update(shipment.pods[-1].delivered)
    invoice = _add(made, order.shipments[0], posted, Decimal(1))
    invoice.quantities, invoice.names = dict(quantities), "order"


def _one(rng: random.Random, made: list[Invoice], shipment: Shipment, draw: float) -> None:
    """What is billed for one delivery: rightly, twice, with a wrong amount, in two halves, or a bit too much."""
    shipment.is_billed_by_hand = True
    posted = _posted(rng, shipment.pods[-1].received)
    first = _add(made, shipment, posted, Decimal("1.1") if 0.02 <= draw < 0.035 else Decimal(1))
    later = told_once(posted + (GO_LIVE - posted) * rng.uniform(0.1, 0.9))
    if draw < 0.02:
        doubled = _add(made, shipment, later, Decimal(1))
        _add(made, shipment, later + (GO_LIVE - later) / 2, Decimal(-1), doubled.id)
    elif draw < 0.035:
        _add(made, shipment, later, -first.factor, first.id)
        _add(made, shipment, later + timedelta(seconds=60), Decimal(1))
    elif draw < 0.055:
        # The customer keeps the goods and gets something off.
        back = _add(made, shipment, later, Decimal(-1), first.id)
        line = max(back.quantities, key=lambda each: back.quantities[each])
        back.quantities = {line: 1}
    elif draw < 0.075 and max(first.quantities.values()) > 1:
        half = {line: count // 2 for line, count in first.quantities.items()}
        rest = _add(made, shipment, later, Decimal(1))
        rest.quantities = {line: count - half[line] for line, count in rest.quantities.items()}
        first.quantities = half


def _posted(rng: random.Random, proven: datetime) -> datetime:
    posted = proven + timedelta(days=rng.uniform(2, 9))
    if posted >= GO_LIVE:
        # The desk clears its backlog before the platform takes over.
        first = max(proven, GO_LIVE - timedelta(hours=14))
        posted = first + (GO_LIVE - first) * rng.uniform(0.05, 0.95)
    return told_once(posted)


def _add(
    made: list[Invoice], shipment: Shipment, posted: datetime, factor: Decimal, credited: str | None = None
) -> Invoice:
    invoice = Invoice(
        f"SINV-{len(made) + 1:05d}", shipment, posted, dict(shipment.pods[-1].delivered), factor, credited
    )
    made.append(invoice)
    return invoice
