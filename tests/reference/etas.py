"""How good predictions of arrivals were: the last one that came early enough, at five horizons."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from tests.reference.facts import either, rate, shaped
from tests.reference.inputs import Inputs
from tests.reference.stops import stops
from tests.reference.times import is_unreadable

HORIZONS_H = (24, 12, 4, 2, 1)
ACCURATE_S = 30 * 60


def facts(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Arrivals are stops at which goods are handed over, whether or not that went well."""
    arrivals = stops(inputs, ships).filter(pl.col("arrived_at").is_not_null() & pl.col("is_delivery"))
    told = predictions(inputs)
    return pl.concat([each for hours in HORIZONS_H for each in _at(arrivals, told, hours)])


def predictions(inputs: Inputs) -> pl.DataFrame:
    """Each prediction with its stop: the one that it names, or those at which its consignment is handed over."""
    every = inputs["tms", "eta_predictions"].rename({"stop_id": "stop_no"})
    handed = (
        inputs["dispatch", "actions"]
        .filter(pl.col("stop_id").is_not_null() & pl.col("action_type").is_in(("unload", "handOver")))
        .select("consignment_id", stop_no="stop_id")
        .unique()
    )
    named = every.filter(pl.col("stop_no").is_not_null())
    others = every.filter(pl.col("stop_no").is_null()).drop("stop_no").join(handed, on="consignment_id")
    columns = ("stop_no", "issuer", "issued_at", "eta_at")
    return pl.concat([named.select(columns), others.select(columns)])


def _at(arrivals: pl.DataFrame, told: pl.DataFrame, hours: int) -> list[pl.DataFrame]:
    early = told.join(arrivals.select("stop_no", "arrived_at"), on="stop_no").filter(
        pl.col("issued_at") <= pl.col("arrived_at") - timedelta(hours=hours)
    )
    last = early.sort("issued_at").unique("stop_no", keep="last", maintain_order=True)
    found = arrivals.join(last.select("stop_no", "issuer", "eta_at"), on="stop_no", how="left").with_columns(
        made_by="issuer", arrival_no="stop_no"
    )
    off = (pl.col("arrived_at") - pl.col("eta_at")).dt.total_microseconds() / 1e6
    known = found.filter(pl.col("eta_at").is_not_null()).with_columns(off.alias("off_s"))
    variant, every = f"h{hours}", pl.lit(value=True)
    return [
        rate(known, "eta_accuracy_rate", met=pl.col("off_s").abs() <= ACCURATE_S, known=~is_unreadable(),
             unknown="its local time is not sure", scope=every,
             missed=either((pl.col("off_s") > 0, "later than told"), otherwise="earlier than told"), day_at=pl.col("arrived_at"), zone="zone", variant=variant, entity="arrival"),
        rate(found, "eta_coverage_rate", met=pl.col("eta_at").is_not_null(), known=every, scope=every,
             missed="nobody told it so early",
             day_at=pl.col("arrived_at"), zone="zone", variant=variant, entity="arrival"),
        _mean(known.with_columns(duration_s=pl.col("off_s").abs()), "eta_absolute_error_s", variant),
        _mean(known.with_columns(duration_s=pl.col("off_s")), "eta_bias_s", variant),
    ]  # fmt: skip


def _mean(known: pl.DataFrame, metric: str, variant: str) -> pl.DataFrame:
    found = known.with_columns(
        pl.when(is_unreadable()).then(pl.lit("excluded")).otherwise(pl.lit("in")).alias("standing"),
        either((is_unreadable(), "its local time is not sure")).alias("why"),
        pl.col("arrived_at").alias("day_at"),
        pl.col("duration_s").round().cast(pl.Int64()).alias("numerator"),
        pl.lit(1, pl.Int64()).alias("denominator"),
    )
    return shaped(found, metric, variant, "arrival", "s", "zone")
