"""How long the steps of a shipment and of an order took."""

from __future__ import annotations

import polars as pl

from tests.reference.business_hours import working_seconds
from tests.reference.facts import cycle, either
from tests.reference.inputs import Inputs


def of_shipments(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Every cycle time of shipments; ``ships`` knows its invoices and the gate's decisions."""
    leaves = ~pl.col("is_off") & ~pl.col("is_again")
    ships = ships.with_columns(_net_start())
    not_sent = either(
        (pl.col("is_off"), "cancelled before dispatch"), otherwise="a second dispatch: the first one counts"
    )
    unproved, undelivered = "no proof of delivery", "not delivered"
    by_hand = either((pl.col("made_by") == "hand", "invoiced by hand"), otherwise=unproved)
    by_gate = pl.col("is_proved") & (pl.col("made_by").ne_missing("hand"))
    steps = [
        ("order_to_dispatch_s", "default", "confirmed_at", "departed_at", "depot_zone", leaves, not_sent),
        ("order_to_dispatch_s", "net", "net_start_at", "departed_at", "depot_zone", leaves, not_sent),
        ("release_to_dispatch_s", "default", "released_at", "departed_at", "depot_zone", leaves, not_sent),
        ("pod_to_invoice_s", "default", "pod_received_at", "invoiced_at", "depot_zone", pl.col("is_proved"), unproved),
        ("delivery_to_invoice_s", "default", "delivered_at", "invoiced_at", "depot_zone", pl.col("is_delivered"),
         undelivered),
        ("delivered_to_captured_s", "default", "delivered_at", "proved_captured_at", "place_zone",
         pl.col("is_delivered"), undelivered),
        ("captured_to_received_s", "default", "pod_captured_at", "pod_received_at", "place_zone",
         pl.col("is_proved"), unproved),
        ("received_to_released_s", "default", "pod_received_at", "gate_released_at", "depot_zone", by_gate, by_hand),
        ("released_to_posted_s", "default", "gate_released_at", "invoiced_at", "depot_zone", by_gate, by_hand),
    ]  # fmt: skip
    by_the_clock = [
        cycle(
            ships,
            metric,
            inputs.as_of,
            variant=variant,
            start=start,
            end=end,
            zone=zone,
            scope=scope,
            why_not=why_not,
        )
        for metric, variant, start, end, zone, scope, why_not in steps
    ]
    in_working_hours = [
        cycle(ships, metric, inputs.as_of, variant="business", start=start, end=end, zone=zone, scope=scope,
              why_not=why_not, length=working_seconds(ships, start, end, zone, "depot_id" if zone == "depot_zone" else None))
        for metric, variant, start, end, zone, scope, why_not in steps
        if variant == "default"
    ]  # fmt: skip
    return pl.concat([*by_the_clock, *in_working_hours])


def of_orders(inputs: Inputs, orders: pl.DataFrame) -> pl.DataFrame:
    """An order reports the first and the last departure of its living shipments."""
    steps = [
        ("order_to_dispatch_s", "order_first", "confirmed_at", "first_departed_at"),
        ("order_to_dispatch_s", "order_last", "confirmed_at", "last_departed_at"),
        ("release_to_dispatch_s", "order_first", "released_at", "first_departed_at"),
        ("release_to_dispatch_s", "order_last", "released_at", "last_departed_at"),
    ]
    return pl.concat(
        cycle(orders, metric, inputs.as_of, variant=variant, start=start, end=end, zone="depot_zone",
              scope=pl.col("is_alive"), entity="order", why_not="cancelled before dispatch")
        for metric, variant, start, end in steps
    )  # fmt: skip


def _net_start() -> pl.Expr:
    """The later of the confirmation and the earliest release that the customer wants; none without a confirmation."""
    later = pl.max_horizontal("confirmed_at", "earliest_release_at")
    return pl.when(pl.col("confirmed_at").is_not_null()).then(later).alias("net_start_at")
