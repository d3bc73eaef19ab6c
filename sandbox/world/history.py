"""Invoices made by hand before go-live, 2 to 9 days after the proof, with the usual errors."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.world.model import Invoice, Shipment
from sandbox.world.moments import GO_LIVE, told_once


def by_hand(rng: random.Random, shipments: list[Shipment]) -> list[Invoice]:
    """For every delivery proven before go-live, except what was forgotten; what is doubled is credited."""
    made: list[Invoice] = []
    for shipment in shipments:
        pod = shipment.pods[-1] if shipment.pods else None
        if pod is None or shipment.fault or pod.outcome == "failed" or pod.received >= GO_LIVE:
            continue
        draw = rng.random()
        if draw < 0.01:
            continue
        shipment.is_billed_by_hand = True
        posted = pod.received + timedelta(days=rng.uniform(2, 9))
        if posted >= GO_LIVE:
            # The desk clears its backlog before the platform takes over.
            first = max(pod.received, GO_LIVE - timedelta(hours=14))
            posted = first + (GO_LIVE - first) * rng.uniform(0.05, 0.95)
        posted = told_once(posted)
        factor = Decimal("1.1") if 0.02 <= draw < 0.035 else Decimal(1)
        first_made = _add(made, shipment, posted, factor)
        later = told_once(posted + (GO_LIVE - posted) * rng.uniform(0.1, 0.9))
        if draw < 0.02:
            doubled = _add(made, shipment, later, Decimal(1))
            _add(made, shipment, later + (GO_LIVE - later) / 2, Decimal(-1), doubled.id)
        elif draw < 0.035:
            _add(made, shipment, later, -factor, first_made.id)
            _add(made, shipment, later + timedelta(seconds=60), Decimal(1))
    return made


def _add(
    made: list[Invoice], shipment: Shipment, posted: datetime, factor: Decimal, credited: str | None = None
) -> Invoice:
    invoice = Invoice(
        f"SINV-{len(made) + 1:05d}", shipment, posted, dict(shipment.pods[-1].delivered), factor, credited
    )
    made.append(invoice)
    return invoice
