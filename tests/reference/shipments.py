"""What happened to each shipment: who ordered it, where it went, when it left, arrived, was proved."""

from __future__ import annotations

import polars as pl

from tests.reference.inputs import Inputs
from tests.reference.times import rank

DELIVERS = ("succeeded", "partiallySucceeded")
_OF_ORDER = (
    "company_id", "customer_id", "currency", "confirmed_at", "credit_ok_at", "earliest_release_at",
    "promised_from_at", "first_promised_at", "last_promised_at", "promise_precision", "requested_delivery_at",
    "requested_delivery_date",
)  # fmt: skip


def shipments(inputs: Inputs) -> pl.DataFrame:
    """One row per current consignment."""
    heads = _with_places(inputs, _with_order(inputs, inputs["dispatch", "consignments"]))
    seen = heads.join(_actions(inputs), on="shipment_no", how="left").join(
        _proofs(inputs), on="shipment_no", how="left"
    )
    told = pl.when(pl.col("pod_outcome").is_in(DELIVERS)).then("pod_captured_at")
    quality = pl.max_horizontal("order_quality", "action_quality", "pod_quality")
    seen = seen.with_columns(
        pl.coalesce("handed_over_at", told).alias("delivered_at"), quality.alias("quality")
    )
    return _with_ends(seen.join(_allocations(inputs), on="shipment_no", how="left"))


def _with_order(inputs: Inputs, consignments: pl.DataFrame) -> pl.DataFrame:
    orders = inputs["erp", "orders"].select(
        pl.col("order_id").alias("order_no"),
        pl.col("status").alias("order_status"),
        pl.col("time_zone").alias("order_zone"),
        pl.col("cancelled_at").alias("order_cancelled_at"),
        pl.col("depot_id").alias("order_depot_id"),
        rank().alias("order_quality"),
        *_OF_ORDER,
    )
    named = consignments.rename({"consignment_id": "shipment_no", "order_id": "order_no"})
    return named.join(orders, on="order_no", how="left").with_columns(connection="source_system")


def _with_places(inputs: Inputs, heads: pl.DataFrame) -> pl.DataFrame:
    places = inputs["dispatch", "locations"]
    depots = places.select(
        pl.col("location_id").alias("depot_id"),
        pl.col("time_zone").alias("depot_zone"),
        pl.col("region").alias("depot_region"),
    )
    targets = places.select(
        pl.col("location_id").alias("delivery_location_id"),
        pl.col("time_zone").alias("place_zone"),
        pl.col("region").alias("place_region"),
    )
    found = heads.with_columns(pl.coalesce("depot_id", "order_depot_id").alias("depot_id"))
    found = found.join(depots, on="depot_id", how="left").join(targets, on="delivery_location_id", how="left")
    return found.with_columns(pl.coalesce("place_region", "depot_region").alias("region"))


def _actions(inputs: Inputs) -> pl.DataFrame:
    """Realized ones; a failed one is realized too, and is neither a departure nor a delivery."""
    done = inputs["dispatch", "actions"].filter(lifecycle="realized")
    good = pl.col("result_status").is_in(DELIVERS)
    is_handover = pl.col("action_type") == "handOver"
    return done.group_by(pl.col("consignment_id").alias("shipment_no")).agg(
        pl.col("end_at").filter((pl.col("action_type") == "load") & good).min().alias("departed_at"),
        pl.col("end_at").filter(is_handover & good).min().alias("handed_over_at"),
        pl.col("end_at")
        .filter(is_handover & (pl.col("result_status") == "failed"))
        .min()
        .alias("attempt_failed_at"),
        pl.col("result_status").filter(is_handover).sort_by(pl.col("end_at").filter(is_handover)).last(),
        rank().max().alias("action_quality"),
    )


def live_proofs(inputs: Inputs) -> pl.DataFrame:
    """Of each shipment the newest proof that is neither void nor replaced."""
    proofs = inputs["pod", "proofs"]
    replaced = proofs["supersedes_id"].drop_nulls()
    live = proofs.filter(pl.col("voided_at").is_null() & ~pl.col("pod_id").is_in(replaced.implode()))
    return live.sort("captured_at", "received_at", "pod_id").unique("consignment_id", keep="last")


def _proofs(inputs: Inputs) -> pl.DataFrame:
    return live_proofs(inputs).select(
        pl.col("consignment_id").alias("shipment_no"),
        pl.col("pod_id"),
        pl.col("outcome").alias("pod_outcome"),
        pl.col("captured_at").alias("pod_captured_at"),
        pl.col("received_at").alias("pod_received_at"),
        pl.col("has_line_quantities"),
        rank().alias("pod_quality"),
    )


def _allocations(inputs: Inputs) -> pl.DataFrame:
    notes = inputs["erp", "delivery_notes"].filter(pl.col("status") != "cancelled")
    return notes.group_by(pl.col("shipment_id").alias("shipment_no")).agg(pl.col("allocated_at").min())


def _with_ends(seen: pl.DataFrame) -> pl.DataFrame:
    """Released, delivered, cancelled in time, brought again: what the metrics ask of a shipment."""
    order_is_off = pl.col("order_status").eq_missing("cancelled")
    is_cancelled = (pl.col("status") == "cancelled") | order_is_off
    off_at = pl.min_horizontal("cancelled_at", pl.when(order_is_off).then("order_cancelled_at"))
    says_failed = pl.col("pod_outcome").eq_missing("failed")
    never_left = pl.col("departed_at").is_null()
    again = seen.filter(relation="redelivery")["parent_id"].drop_nulls()
    return seen.with_columns(
        pl.when(pl.col("credit_ok_at").is_not_null() & pl.col("allocated_at").is_not_null())
        .then(pl.max_horizontal("credit_ok_at", "allocated_at"))
        .alias("released_at"),
        pl.col("delivered_at").is_not_null().alias("is_delivered"),
        pl.coalesce("attempt_failed_at", pl.when(says_failed).then("pod_captured_at")).alias("failed_at"),
        (pl.col("result_status").eq_missing("failed") | says_failed).alias("has_failed"),
        (is_cancelled & (never_left | (off_at < pl.col("departed_at")).fill_null(value=False))).alias(
            "is_off"
        ),
        pl.col("pod_outcome").is_in(DELIVERS).fill_null(value=False).alias("is_proved"),
        pl.col("relation").eq_missing("redelivery").alias("is_again"),
        pl.col("shipment_no").is_in(again.implode()).alias("is_brought_again"),
    )
