"""What was billed at the first try, on the same day, wrongly, or not yet."""

from __future__ import annotations

import polars as pl

from tests.reference.amounts import with_candidate_amount
from tests.reference.control import with_places
from tests.reference.facts import age_bucket, either, rate, shaped
from tests.reference.inputs import Inputs
from tests.reference.invoices import invoices
from tests.reference.times import local_day


def of_shipments(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    ships = ships.with_columns(
        local_day(ships, "pod_received_at", "depot_zone").alias("proof_day"),
        local_day(ships, "invoiced_at", "depot_zone").alias("bill_day"),
    )
    judged = pl.col("first_decided_at").is_not_null()
    first = rate(ships, "first_pass_gate_rate", scope=pl.col("is_delivered") | judged, met=pl.col("is_first_pass"),
                 known=judged, day_at=pl.col("first_decided_at"), zone="depot_zone", why_not="no candidate",
                 unknown="not judged yet", missed="blocked at its first evaluation")  # fmt: skip
    same = rate(ships, "same_day_invoice_rate", scope=pl.col("is_proved"), known=pl.lit(value=True),
                met=pl.col("bill_day") == pl.col("proof_day"),
                day_at=pl.col("pod_received_at"), zone="depot_zone", why_not="no proof of delivery",
                missed=either((pl.col("invoiced_at").is_null(), "not invoiced"), otherwise="on another day"))  # fmt: skip
    return pl.concat([first, same, _unbilled(inputs, ships)])


def _unbilled(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """What would be billed for goods that were delivered and that no standing invoice bills."""
    waits = (
        pl.col("is_delivered") & pl.col("invoiced_at").is_null() & pl.col("pod_outcome").ne_missing("failed")
    )
    standing = (
        pl.when(~waits)
        .then(pl.lit("out"))
        .when(pl.col("pod_id").is_null() | pl.col("amount").is_null())
        .then(pl.lit("excluded"))
        .otherwise(pl.lit("in"))
    )
    age = age_bucket(pl.coalesce("pod_received_at", "delivered_at"), inputs.as_of)
    found = with_candidate_amount(inputs, ships).with_columns(
        standing.alias("standing"),
        either(
            (standing == "excluded", "its amount is not known"), otherwise="delivered and not posted"
        ).alias("why"),
        pl.lit(inputs.as_of).alias("day_at"),
        age.alias("age_days"),
    )
    facts = shaped(found, "unbilled_delivered_amount", "default", "shipment", "amount", "depot_zone")
    return facts.filter(pl.col("standing") != "out")


def of_invoices(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Invoices that were posted once, and what went wrong with them afterwards. Their day is the depot's; of one
    that names no shipment, the company's."""
    posted = invoices(inputs).filter(pl.col("posted_at").is_not_null())
    bills = with_places(inputs, posted, ships).rename({"invoice_id": "invoice_no"})
    cancelled = pl.col("status") == "cancelled"
    full, some = pl.col("is_credited_in_full"), pl.col("is_credited")
    reasons = {"default": cancelled | some, "cancelled": cancelled, "credited_in_full": full & ~cancelled,
               "credited_in_part": some & ~full & ~cancelled}  # fmt: skip
    everything = pl.lit(value=True)
    return pl.concat(
        rate(bills, "invoice_error_rate", variant=variant, entity="invoice", scope=everything, met=met,
             known=everything, day_at=pl.col("posted_at"), zone="zone",
             missed="never corrected" if variant == "default" else f"not {variant.replace('_', ' ')}")
        for variant, met in reasons.items()
    )  # fmt: skip
