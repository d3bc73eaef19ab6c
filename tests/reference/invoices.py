"""Which invoices stand, which shipments they bill, and what was credited."""

from __future__ import annotations

import polars as pl

from tests.reference.inputs import Inputs


def invoices(inputs: Inputs) -> pl.DataFrame:
    """One row per invoice that is no credit note, with what was given back."""
    every = inputs["erp", "invoices"]
    notes = every.filter(pl.col("is_credit_note"), status="posted")
    given = notes.group_by(pl.col("credited_invoice_id").alias("invoice_id")).agg(
        pl.col("grand_total_amount").abs().sum().cast(pl.Decimal(18, 4)).alias("credited_amount")
    )
    bills = every.filter(~pl.col("is_credit_note")).join(given, on="invoice_id", how="left")
    in_full = pl.col("credited_amount") >= pl.col("grand_total_amount")
    return bills.with_columns(
        in_full.fill_null(value=False).alias("is_credited_in_full"),
        pl.col("credited_amount").is_not_null().alias("is_credited"),
        pl.when(pl.col("idempotency_key").is_null())
        .then(pl.lit("hand"))
        .otherwise(pl.lit("waybill"))
        .alias("made_by"),
    ).with_columns(((pl.col("status") == "posted") & ~pl.col("is_credited_in_full")).alias("is_surviving"))


def bills_of(bills: pl.DataFrame, ships: pl.DataFrame) -> pl.DataFrame:
    """One row per invoice and shipment that it bills: the one that it names, or all of its order."""
    heads = ships.select("shipment_no", "order_no")
    columns = ("shipment_no", "invoice_id", "posted_at", "made_by")
    named = bills.filter(pl.col("shipment_id").is_not_null()).with_columns(
        pl.col("shipment_id").alias("shipment_no")
    )
    of_order = bills.filter(pl.col("shipment_id").is_null()).join(
        heads, left_on="order_id", right_on="order_no"
    )
    return pl.concat([named.join(heads, on="shipment_no").select(columns), of_order.select(columns)])


def with_invoices(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Adds when the first surviving invoice was posted, and who made it."""
    first = (
        bills_of(invoices(inputs).filter("is_surviving"), ships)
        .sort("posted_at", "invoice_id")
        .unique("shipment_no", keep="first")
    )
    return ships.join(
        first.select("shipment_no", "made_by", pl.col("posted_at").alias("invoiced_at")),
        on="shipment_no",
        how="left",
    )
