"""What the gate decided about the invoice of a shipment."""

from __future__ import annotations

import polars as pl

from tests.reference.inputs import Inputs


def with_decisions(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Adds the first evaluation, and the release: the one that the push carried out, else the newest decision, if it releases."""
    decisions = inputs["gate", "decisions"].sort("sequence")
    first = decisions.unique("shipment_no", keep="first", maintain_order=True).select(
        "shipment_no",
        pl.col("decided_at").alias("first_decided_at"),
        (pl.col("verdict") == "released").alias("is_first_pass"),
    )
    newest = decisions.unique("shipment_no", keep="last", maintain_order=True).filter(verdict="released")
    pushed = decisions.join(inputs["ledger", "outbox"], on=("shipment_no", "decision_id"), how="semi")
    return (
        ships.join(first, on="shipment_no", how="left")
        .join(newest.select("shipment_no", newest_at="decided_at"), on="shipment_no", how="left")
        .join(pushed.select("shipment_no", pushed_at="decided_at"), on="shipment_no", how="left")
        .with_columns(pl.coalesce("pushed_at", "newest_at").alias("gate_released_at"))
    )
