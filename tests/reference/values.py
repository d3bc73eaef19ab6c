"""Published numbers out of facts: every grain and dimension from the rows anew."""

from __future__ import annotations

import polars as pl

from tests.reference.facts import DIMENSIONS
from tests.support.cuts import GRAINS, is_published

STEPS = {"day": "1d", "week": "1w", "month": "1mo", "all": None}
LEAST_FOR_TAILS = 20
PER_DAY = ("cash_released_amount",)
"""Amounts that are divided by the days of their period."""
MEANS = ("eta_absolute_error_s", "eta_bias_s")
"""Times of which the mean is the value; their percentiles stand beside it."""
KEY = ("metric", "variant", "unit", "currency", "grain", "period_start", "dimension", "dimension_value")
MEASURES = (
    "n",
    "numerator",
    "denominator",
    "value",
    "p50",
    "p90",
    "p95",
    "n_open",
    "n_negative",
    "n_excluded",
)


def values(facts: pl.DataFrame) -> pl.DataFrame:
    """One row per metric, variant, currency, grain, period and value of a dimension."""
    facts = facts.filter(pl.col("standing") != "out")
    cuts = [
        _numbers(_cut(facts, grain, STEPS[grain], dimension))
        for dimension in ("all", *DIMENSIONS)
        for grain in GRAINS
        if is_published(grain, dimension.removesuffix("_id"))
    ]
    return pl.concat(cuts)


def _cut(facts: pl.DataFrame, grain: str, step: str | None, dimension: str) -> pl.DataFrame:
    start = pl.col("period_date").dt.truncate(step) if step else pl.lit(None, pl.Date())
    shown = pl.lit("all") if dimension == "all" else pl.col(dimension)
    name = dimension.removesuffix("_id")
    cut = facts.with_columns(
        pl.lit(grain).alias("grain"), start.alias("period_start"), pl.lit(name).alias("dimension"),
        shown.alias("dimension_value"),
    )  # fmt: skip
    # What has no day counts in all of time and in no other period.
    has_period = pl.col("period_start").is_not_null() | pl.lit(value=step is None)
    return cut.filter(pl.col("dimension_value").is_not_null() & has_period)


def _numbers(cut: pl.DataFrame) -> pl.DataFrame:
    counts = cut.group_by(KEY).agg(
        _standing("in").sum().alias("n"),
        pl.col("numerator").filter(_standing("in")).sum().alias("met"),
        pl.col("denominator").filter(_standing("in")).sum().alias("over"),
        pl.col("amount").filter(_standing("in")).sum().alias("sum"),
        pl.col("duration_s").filter(_standing("in")).sort().alias("lengths"),
        pl.col("period_date").min().alias("first_day"),
        pl.col("period_date").max().alias("last_day"),
        _standing("open").sum().alias("n_open"),
        _standing("negative").sum().alias("n_negative"),
        _standing("excluded").sum().alias("n_excluded"),
    )
    is_time, is_mean = pl.col("unit") == "s", pl.col("metric").is_in(MEANS)
    is_rate = pl.col("unit").is_in(("ratio", "per_100")) | is_mean
    tails = is_time & (pl.col("n") >= LEAST_FOR_TAILS)
    found = counts.with_columns(
        pl.when(is_rate).then("met").alias("numerator"),
        pl.when(is_rate).then("over").alias("denominator"),
        pl.when(is_time).then(_quantile(50)).alias("p50"),
        pl.when(tails).then(_quantile(90)).alias("p90"),
        pl.when(tails).then(_quantile(95)).alias("p95"),
    )
    many = pl.when(pl.col("unit") == "per_100").then(100).otherwise(1)
    ratio = pl.when(pl.col("over") > 0).then(many * pl.col("met") / pl.col("over"))
    amount = pl.when(pl.col("n") > 0).then(pl.col("sum").cast(pl.Float64()))
    total = pl.when(pl.col("metric").is_in(PER_DAY)).then(amount / _days()).otherwise(amount)
    value = pl.when(is_rate).then(ratio).when(is_time).then("p50").otherwise(total)
    return found.with_columns(value.alias("value")).select(*KEY, *MEASURES)


def _days() -> pl.Expr:
    """How long the period is; of all of time, from the first day to the last."""
    return (
        pl.when(pl.col("grain") == "day")
        .then(1)
        .when(pl.col("grain") == "week")
        .then(7)
        .when(pl.col("grain") == "month")
        .then(pl.col("period_start").dt.month_end().dt.day())
        .otherwise((pl.col("last_day") - pl.col("first_day")).dt.total_days() + 1)
    )


def _standing(name: str) -> pl.Expr:
    return pl.col("standing") == name


def _quantile(percent: int) -> pl.Expr:
    """The smallest row at which the share of rows up to it is the percentage: never one in between."""
    place = (pl.col("n") * percent + 99) // 100 - 1
    return pl.when(pl.col("n") > 0).then(pl.col("lengths").list.get(place, null_on_oob=True))
