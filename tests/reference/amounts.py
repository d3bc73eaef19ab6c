"""What an invoice for a shipment would come to: accepted goods at the order's prices, taxed per rate (EN 16931).

Whole numbers throughout: quantities and prices in ten-thousandths, amounts in the currency's smallest unit.
"""

from __future__ import annotations

import polars as pl

from tests.reference.inputs import Inputs
from tests.reference.quantities import billable_lines

SCALE = 10_000
_WITHOUT_MINOR_UNITS = ("JPY",)


def with_candidate_amount(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Adds ``amount``: net and tax of what the live proof says was accepted."""
    prices = inputs["erp", "order_lines"].select(
        "order_line_id", "tax_rate_percent", price=whole("unit_price_amount")
    )
    lines = billable_lines(inputs).join(prices, on="order_line_id")
    lines = lines.join(ships.select("shipment_no", "currency"), on="shipment_no")
    unit = pl.when(pl.col("currency").is_in(_WITHOUT_MINOR_UNITS)).then(SCALE).otherwise(SCALE // 100)
    lines = lines.with_columns(
        unit.alias("unit"), (pl.col("accepted") * SCALE).round().cast(pl.Int64()).alias("many")
    )
    nets = lines.with_columns(rounded(pl.col("many") * pl.col("price"), pl.col("unit") * SCALE).alias("net"))
    taxed = nets.group_by("shipment_no", "tax_rate_percent", "unit").agg(pl.col("net").sum())
    percent = whole("tax_rate_percent")
    totals = taxed.with_columns(rounded(pl.col("net") * percent, pl.lit(SCALE * 100)).alias("tax"))
    gross = (pl.col("net") + pl.col("tax")).sum() * pl.col("unit").first()
    found = totals.group_by("shipment_no").agg(gross.alias("gross"))
    amount = (pl.col("gross").cast(pl.Decimal(18, 4)) / pl.lit(SCALE)).cast(pl.Decimal(18, 4))
    return ships.join(found.select("shipment_no", amount.alias("amount")), on="shipment_no", how="left")


def whole(column: str) -> pl.Expr:
    """In ten-thousandths."""
    return (pl.col(column).cast(pl.Float64()) * SCALE).round().cast(pl.Int64())


def rounded(value: pl.Expr, unit: pl.Expr) -> pl.Expr:
    """Half away from zero; of what is not negative."""
    return (value + unit // 2) // unit
