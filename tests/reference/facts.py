"""The shape of a fact, and how a cycle time and a rate become one: the same for every metric.

A fact says of one row whether it is in a number, waits (open), is a defect (negative), cannot be judged
(excluded) or is not meant (out), and on which local day it counts.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from tests.reference.times import is_unreadable, local_day, seconds

DIMENSIONS = (
    "company_id",
    "customer_id",
    "depot_id",
    "region",
    "carrier_id",
    "connection",
    "severity",
    "made_by",
    "age_days",
)
COLUMNS: dict[str, pl.DataType] = {
    "metric": pl.String(), "variant": pl.String(), "entity_type": pl.String(), "entity_no": pl.String(),
    "standing": pl.String(), "why": pl.String(), "period_date": pl.Date(), "unit": pl.String(), "currency": pl.String(),
    "duration_s": pl.Float64(), "amount": pl.Decimal(18, 4), "numerator": pl.Int64(), "denominator": pl.Int64(),
    **dict.fromkeys(DIMENSIONS, pl.String()),
}  # fmt: skip


def cycle(
    frame: pl.DataFrame, metric: str, as_of: datetime, *, start: str, end: str, zone: str,
    scope: pl.Expr, variant: str = "default", entity: str = "shipment", length: pl.Series | None = None,
    why_not: pl.Expr | str = "",
) -> pl.DataFrame:  # fmt: skip
    """Facts of a cycle time: from ``start`` to ``end``, on the local day of its end; as long as ``length`` says, where
    that is not the time between the two."""
    began, ended = pl.col(start).is_not_null(), pl.col(end).is_not_null()
    standing = (
        pl.when(~scope | (~began & ~ended))
        .then(pl.lit("out"))
        .when(~ended)
        .then(pl.lit("open"))
        .when(is_unreadable() | ~began)
        .then(pl.lit("excluded"))
        .when(pl.col(end) < pl.col(start))
        .then(pl.lit("negative"))
        .otherwise(pl.lit("in"))
    )
    why = (
        pl.when(~scope)
        .then(text(why_not))
        .when(~began & ~ended)
        .then(pl.lit("it has not started"))
        .when(~ended)
        .then(pl.lit("it has not ended"))
        .when(~began)
        .then(pl.lit("nobody knows when it started"))
        .when(is_unreadable())
        .then(pl.lit("its local time is not sure"))
        .when(pl.col(end) < pl.col(start))
        .then(pl.lit("it ended before it started"))
    )
    found = frame.with_columns(
        standing.alias("standing"),
        why.alias("why"),
        pl.when(began & ~ended).then(age_bucket(pl.col(start), as_of)).alias("age_days"),
        pl.coalesce(end, pl.lit(as_of)).alias("day_at"),
        (seconds(start, end) if length is None else length).alias("duration_s"),
    )
    return shaped(found, metric, variant, entity, "s", zone)


def age_bucket(since: pl.Expr, as_of: datetime) -> pl.Expr:
    """How many days ago an instant was, in the steps in which what is open grows old."""
    days = (pl.lit(as_of) - since).dt.total_microseconds() / 86_400e6
    return (
        pl.when(days < 1)
        .then(pl.lit("0-1"))
        .when(days < 3)
        .then(pl.lit("1-3"))
        .when(days < 7)
        .then(pl.lit("3-7"))
        .otherwise(pl.lit("7+"))
    )


def rate(
    frame: pl.DataFrame, metric: str, *, met: pl.Expr, known: pl.Expr, scope: pl.Expr, day_at: pl.Expr,
    zone: str, variant: str = "default", entity: str = "shipment", why_not: pl.Expr | str = "",
    unknown: pl.Expr | str = "", missed: pl.Expr | str | None = None, kept: pl.Expr | str | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Facts of a rate: in scope and known, met or not; and why it is out, unknown, not met (``missed``) or met (``kept``)."""
    standing = (
        pl.when(~scope).then(pl.lit("out")).when(~known).then(pl.lit("excluded")).otherwise(pl.lit("in"))
    )
    is_met = met.fill_null(value=False)
    why = (
        pl.when(~scope)
        .then(text(why_not))
        .when(~known)
        .then(text(unknown))
        .when(is_met)
        .then(text(kept))
        .otherwise(text(missed))
    )
    found = frame.with_columns(
        standing.alias("standing"),
        why.alias("why"),
        day_at.alias("day_at"),
        met.fill_null(value=False).cast(pl.Int64()).alias("numerator"),
        pl.lit(1, pl.Int64()).alias("denominator"),
    )
    return shaped(found, metric, variant, entity, "ratio", zone)


def text(words: pl.Expr | str | None) -> pl.Expr:
    return words if isinstance(words, pl.Expr) else pl.lit(words, pl.String())


def either(*cases: tuple[pl.Expr, str], otherwise: str | None = None) -> pl.Expr:
    """The words of the first case that holds."""
    return pl.coalesce(
        *(pl.when(holds.fill_null(value=False)).then(pl.lit(words)) for holds, words in cases),
        text(otherwise),
    )


def shaped(frame: pl.DataFrame, metric: str, variant: str, entity: str, unit: str, zone: str) -> pl.DataFrame:
    """Rows with ``standing``, ``day_at`` and measures as facts; a column that the frame lacks is NULL."""
    named: dict[str, pl.Expr | pl.Series] = {
        "metric": pl.lit(metric), "variant": pl.lit(variant), "entity_type": pl.lit(entity), "unit": pl.lit(unit),
        "entity_no": pl.col(f"{entity}_no"), "period_date": local_day(frame, "day_at", zone),
    }  # fmt: skip
    if unit != "amount":
        named["currency"] = pl.lit(None)
    lacking = {name: pl.lit(None) for name in COLUMNS if name not in {*named, *frame.columns}}
    return frame.with_columns(**{**named, **lacking}).select(
        pl.col(name).cast(kind) for name, kind in COLUMNS.items()
    )
