"""All facts of the reference, in one frame."""

from __future__ import annotations

import polars as pl

from tests.reference import (
    commitments,
    control,
    cycle_times,
    delivery,
    etas,
    exceptions,
    fleet,
    invoicing,
    messages,
    partners,
    stops,
    touches,
)
from tests.reference.gate import with_decisions
from tests.reference.inputs import Inputs
from tests.reference.invoices import with_invoices
from tests.reference.orders import orders, waiting
from tests.reference.promises import with_promises
from tests.reference.quantities import with_fullness
from tests.reference.shipments import shipments


def facts(inputs: Inputs) -> pl.DataFrame:
    ships = with_promises(shipments(inputs))
    ships = delivery.with_verdict(with_fullness(inputs, ships))
    ships = with_decisions(inputs, with_invoices(inputs, ships)).with_columns(
        pl.when("is_proved").then("pod_captured_at").alias("proved_captured_at")
    )
    ships = commitments.with_perfection(inputs, ships)
    heads = orders(inputs, ships)
    found = pl.concat(
        [
            cycle_times.of_shipments(inputs, ships),
            cycle_times.of_orders(inputs, heads),
            delivery.of_shipments(inputs, ships),
            delivery.of_orders(inputs, heads),
            invoicing.of_shipments(inputs, ships),
            invoicing.of_invoices(inputs, ships),
            commitments.missed(inputs, ships, waiting(inputs, ships)),
            commitments.perfect(inputs, ships, "shipment", ~pl.col("is_off")),
            commitments.perfect(inputs, heads, "order", pl.col("is_alive")),
            control.before_proof(inputs, ships),
            control.cash_released(inputs, ships),
            exceptions.facts(inputs, ships),
            exceptions.data_issues(inputs, ships),
            stops.detention(inputs, ships),
            etas.facts(inputs, ships),
            fleet.facts(inputs),
            messages.facts(inputs),
            partners.missed_windows(inputs),
            partners.onboarding(inputs),
            touches.facts(inputs, ships),
        ]
    )
    # A row that is not in adds nothing, above the line or below it.
    return found.with_columns(pl.when(pl.col("standing") == "in").then(pl.col("numerator", "denominator")))
