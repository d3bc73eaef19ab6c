"""Invoices before their proof, and the money that came in earlier than the baseline."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import yaml

from tests.reference.amounts import SCALE, rounded, whole
from tests.reference.facts import either, rate, shaped
from tests.reference.inputs import Inputs
from tests.reference.invoices import bills_of, invoices

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project" / "dbt_project.yml"
_DAY_S = 86_400
_MILLIONTHS = 1_000_000


def before_proof(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Of what is invoiced, what was so before its live proof came, or without one."""
    invoiced = pl.col("invoiced_at").is_not_null()
    early = pl.col("pod_received_at").is_null() | (pl.col("invoiced_at") < pl.col("pod_received_at"))
    return rate(ships, "invoice_before_pod_rate", scope=invoiced, met=early, known=pl.lit(value=True), day_at=pl.col("invoiced_at"),
                zone="depot_zone", why_not="not invoiced", missed="its proof came first",
                kept=either((pl.col("pod_received_at").is_null(), "invoiced without a live proof"),
                            otherwise="invoiced before its proof"))  # fmt: skip


def cash_released(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Σ amount x (baseline - days from the delivery of the last shipment billed to the invoice), in millionths of a
    day."""
    alive = invoices(inputs).with_columns(connection="source_system")
    cut_by = ("depot_id", "region", "carrier_id", "depot_zone")
    ends = bills_of(alive, ships).join(ships.select("shipment_no", "delivered_at", *cut_by), on="shipment_no")
    last = ends.group_by("invoice_id").agg(
        pl.when(pl.col("delivered_at").null_count() == 0).then(pl.col("delivered_at").max()),
        *(pl.col(name).min() for name in cut_by),
    )
    found = alive.join(last, on="invoice_id", how="left")
    waited = (pl.col("posted_at") - pl.col("delivered_at")).dt.total_microseconds() / 1e6 / _DAY_S
    saved = ((baseline_days() - waited) * _MILLIONTHS).round().cast(pl.Int64())
    product = whole("grand_total_amount") * saved
    amount = (rounded(product.abs(), pl.lit(_MILLIONTHS)) * product.sign()).cast(pl.Decimal(18, 4)) / SCALE
    standing = (
        pl.when(~pl.col("is_surviving"))
        .then(pl.lit("out"))
        .when(pl.col("delivered_at").is_null())
        .then(pl.lit("excluded"))
        .when(waited < 0)
        .then(pl.lit("negative"))
        .otherwise(pl.lit("in"))
    )
    found = found.with_columns(
        standing.alias("standing"),
        either(
            (standing == "out", "it does not stand: a draft, cancelled or credited in full"),
            (standing == "excluded", "nobody knows when all that it bills was delivered"),
            (standing == "negative", "invoiced before the delivery"),
            otherwise=f"against a baseline of {baseline_days():g} days from delivery to invoice",
        ).alias("why"),
        pl.when((waited >= 0) & pl.col("is_surviving")).then(amount.cast(pl.Decimal(18, 4))).alias("amount"),
        pl.col("posted_at").alias("day_at"),
    )
    return shaped(
        found.rename({"invoice_id": "invoice_no"}),
        "cash_released_amount",
        "default",
        "invoice",
        "amount",
        "depot_zone",
    )


def baseline_days() -> float:
    """What is configured, and shown beside the number."""
    return float(yaml.safe_load(PROJECT.read_text(encoding="utf-8"))["vars"]["baseline_days_to_invoice"])


def with_places(inputs: Inputs, bills: pl.DataFrame, ships: pl.DataFrame) -> pl.DataFrame:
    """Adds by what invoices are cut and where their day is told: as of the shipment that they name, else of the company."""
    cut_by = ("depot_id", "region", "carrier_id", "depot_zone")
    companies = inputs["erp", "companies"].select("company_id", company_zone="time_zone")
    found = bills.join(ships.select(*cut_by, shipment_id="shipment_no"), on="shipment_id", how="left")
    found = found.join(companies, on="company_id", how="left")
    return found.with_columns(
        pl.coalesce("depot_zone", "company_zone").alias("zone"), connection="source_system"
    )
