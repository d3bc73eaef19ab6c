"""How much of what was ordered a shipment had to bring, and how much was accepted, line by line."""

from __future__ import annotations

import polars as pl

from tests.reference.inputs import Inputs
from tests.reference.shipments import live_proofs

_LINE = ("shipment_no", "order_line_id")


def with_fullness(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Adds ``is_in_full``: NULL where nobody knows, or where the rest may still come."""
    lines = _lines(inputs, ships)
    per_ship = lines.group_by("shipment_no").agg(
        (pl.col("accepted") >= pl.col("asked")).all(ignore_nulls=False).alias("is_whole"),
        (pl.col("planned") < pl.col("ordered")).any().alias("is_part"),
        pl.col("accepted").is_null().any().alias("is_unknown"),
        (pl.col("accepted") >= pl.col("planned")).all(ignore_nulls=False).alias("all_taken"),
    )
    runs = pl.col("first_confirmed_ends_at") > inputs.as_of
    waits = pl.col("is_part") & pl.col("all_taken") & pl.col("is_alone") & runs.fill_null(value=False)
    known = pl.col("is_delivered") & ~pl.col("is_unknown") & ~waits
    return (
        ships.join(_companions(ships), on="shipment_no", how="left")
        .join(per_ship, on="shipment_no", how="left")
        .with_columns(pl.when(known).then("is_whole").alias("is_in_full"))
    )


def short_orders(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Orders of which a line was not accepted in full, by all their shipments together."""
    ordered = _ordered(inputs)
    accepted = accepted_lines(inputs, _loaded(inputs, ordered)).join(
        ships.select("shipment_no", "order_no"), on="shipment_no"
    )
    line = ("order_no", "order_line_id")
    came = accepted.group_by(line).agg(pl.col("accepted").sum().round(4))
    found = ordered.join(came, on=line, how="left")
    return found.filter(pl.col("accepted").fill_null(0) < pl.col("ordered")).select("order_no").unique()


def _companions(ships: pl.DataFrame) -> pl.DataFrame:
    """Alone is a shipment whose order no other one carries a part of; a redelivery is no part of its own."""
    alive = ships.filter(pl.col("status") != "cancelled", ~pl.col("is_again"))
    counted = ships.join(alive.group_by("order_no").agg(pl.len().alias("living")), on="order_no", how="left")
    return counted.select("shipment_no", (pl.col("living").fill_null(0) <= 1).alias("is_alone"))


def _lines(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """One row per shipment and order line that it carries or, when it is alone, has to carry."""
    ordered = _ordered(inputs)
    loaded = _loaded(inputs, ordered)
    accepted = accepted_lines(inputs, loaded)
    heads = ships.select("shipment_no", "order_no").join(_companions(ships), on="shipment_no")
    whole = heads.join(ordered, on="order_no").select(*_LINE, "ordered", "is_alone")
    found = whole.join(loaded, on=_LINE, how="left").join(accepted, on=_LINE, how="left")
    asked = pl.when("is_alone").then("ordered").otherwise("planned")
    found = found.with_columns(pl.col("planned").fill_null(0)).with_columns(asked.alias("asked"))
    return found.join(_said(inputs), on="shipment_no", how="left").with_columns(
        pl.when(pl.col("says").fill_null(value=False)).then(pl.col("accepted").fill_null(0)).alias("accepted")
    )


def _ordered(inputs: Inputs) -> pl.DataFrame:
    """What goes out, not what comes back."""
    return (
        inputs["erp", "order_lines"]
        .filter(~pl.col("is_return"))
        .select(
            pl.col("order_id").alias("order_no"),
            "order_line_id",
            pl.col("quantity").cast(pl.Float64()).alias("ordered"),
            pl.col("uom").alias("order_uom"),
            "item_id",
        )
    )


def _loaded(inputs: Inputs, ordered: pl.DataFrame) -> pl.DataFrame:
    loads = inputs["dispatch", "consignment_lines"].rename({"consignment_id": "shipment_no"})
    return _in_order_units(inputs, loads, ordered).group_by(_LINE).agg(pl.col("moved").sum().alias("planned"))


def accepted_lines(inputs: Inputs, loaded: pl.DataFrame) -> pl.DataFrame:
    """What the live proof says per line; one that says all went well and no more means what was loaded."""
    proofs = live_proofs(inputs).select(
        "pod_id", "outcome", "has_line_quantities", shipment_no="consignment_id"
    )
    lines = inputs["pod", "delivered_lines"].join(proofs, on="pod_id")
    said = (
        _in_order_units(inputs, lines, _ordered(inputs))
        .group_by(_LINE)
        .agg(pl.col("moved").sum().alias("accepted"))
    )
    silent = proofs.filter(~pl.col("has_line_quantities"), outcome="succeeded")
    meant = loaded.join(silent, on="shipment_no", how="semi").rename({"planned": "accepted"})
    return pl.concat([said, meant.select(said.columns)])


def _said(inputs: Inputs) -> pl.DataFrame:
    """Whether the live proof tells how much was accepted."""
    says = pl.col("has_line_quantities") | (pl.col("outcome") == "succeeded")
    return live_proofs(inputs).select(says.alias("says"), shipment_no="consignment_id")


def _in_order_units(inputs: Inputs, lines: pl.DataFrame, ordered: pl.DataFrame) -> pl.DataFrame:
    factors = inputs["erp", "item_uoms"].select("item_id", "uom", pl.col("factor").cast(pl.Float64()))
    of_order = factors.rename({"uom": "order_uom", "factor": "order_factor"})
    wanted = ordered.select("order_line_id", "order_uom")
    found = lines.join(wanted, on="order_line_id").join(factors, on=("item_id", "uom"), how="left")
    found = found.join(of_order, on=("item_id", "order_uom"), how="left")
    pieces = pl.col("quantity").cast(pl.Float64()) * pl.col("factor").fill_null(1)
    return found.with_columns((pieces / pl.col("order_factor").fill_null(1)).round(4).alias("moved"))


def billable_lines(inputs: Inputs) -> pl.DataFrame:
    """One row per shipment and order line that the receiver accepted something of."""
    loaded = _loaded(inputs, _ordered(inputs))
    return accepted_lines(inputs, loaded).filter(pl.col("accepted") > 0)
