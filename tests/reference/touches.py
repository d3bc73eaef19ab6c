"""What people did by hand to shipments, of a hundred that left."""

from __future__ import annotations

import polars as pl

from core.ids import surrogate_uuid
from tests.reference.facts import either, shaped
from tests.reference.inputs import Inputs

BY_HAND = {
    **dict.fromkeys(("approval_asked", "approved", "rejected", "credit_granted", "credit_rejected"), "approve"),
    **dict.fromkeys(("resolved", "discarded", "difference_settled", "proposed", "confirmed"), "resolve"),
    "replayed": "replay", "edited": "edit",
}  # fmt: skip
"""What of the ledger a person did, and which of the four kinds of work it is."""
_CUTS = (
    "company_id",
    "customer_id",
    "depot_id",
    "region",
    "carrier_id",
    "connection",
    "made_by",
    "depot_zone",
)
METRIC = "manual_touches_per_100_shipments"


def facts(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Each shipment that left counts below the line, on the day it did; each touch above, on its own day."""
    left = pl.col("departed_at").is_not_null()
    gone = ships.with_columns(
        standing=pl.when(left).then(pl.lit("in")).otherwise(pl.lit("out")),
        why=either((~left, "not dispatched")),
        day_at="departed_at",
        numerator=pl.lit(0),
        denominator=pl.lit(1),
    )
    touched = _touches(inputs, ships).with_columns(
        standing=pl.lit("in"),
        why=pl.col("event").replace_strict(BY_HAND),
        day_at="recorded_at",
        numerator=pl.lit(1),
        denominator=pl.lit(0),
    )
    return pl.concat([
        shaped(gone, METRIC, "default", "shipment", "per_100", "depot_zone"),
        shaped(touched, METRIC, "default", "touch", "per_100", "depot_zone"),
    ])  # fmt: skip


def _touches(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Of an effect, of a row that was refused, or of the shipment itself; of none that is known, still a touch."""
    entries = inputs["ledger", "entries"].filter(pl.col("event").is_in(list(BY_HAND)))
    names = {
        surrogate_uuid(source, name): name
        for source, name in ships.select("connection", "shipment_no").rows()
    }
    about = {
        row["dead_letter_id"]: row["shipment_ref"] for row in inputs["ledger", "dead_letters"].to_dicts()
    }
    about |= {
        row["idempotency_key"]: names.get(row["business_id"]) for row in inputs["ledger", "outbox"].to_dicts()
    }
    subjects = [about.get(subject) or subject for subject in entries["subject"]]
    return (
        entries.with_columns(pl.Series("shipment_no", subjects, dtype=pl.String()))
        .join(ships.select("shipment_no", *_CUTS), on="shipment_no", how="left")
        .with_columns(pl.col("depot_zone").fill_null("UTC"), touch_no="subject")
    )
