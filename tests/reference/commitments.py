"""What was promised and not kept; and orders that were perfect in every respect."""

from __future__ import annotations

import polars as pl

from tests.reference.delivery import is_early, not_due
from tests.reference.facts import either, rate, text
from tests.reference.inputs import Inputs
from tests.reference.invoices import bills_of, invoices
from tests.reference.promises import KINDS
from tests.reference.shipments import live_proofs

CORRECTED = "its invoice was corrected"


def missed(inputs: Inputs, ships: pl.DataFrame, waiting: pl.DataFrame) -> pl.DataFrame:
    """The first attempt counts, so a redelivery has no promise of its own; an order on no shipment counts for itself."""
    first_attempt = ~pl.col("is_off") & ~pl.col("is_again")
    return pl.concat(
        _missed(inputs, frame, entity, kind, scope)
        for kind in KINDS
        for frame, entity, scope in (
            (ships, "shipment", first_attempt),
            (waiting, "order", pl.col("is_alive")),
        )
    )


def _missed(inputs: Inputs, frame: pl.DataFrame, entity: str, kind: str, scope: pl.Expr) -> pl.DataFrame:
    end = pl.col(f"{kind}_ends_at")
    due = end.is_null() | (end <= inputs.as_of)
    return rate(frame, "missed_commitment_rate", variant=kind, entity=entity, scope=scope & due,
                met=~pl.col(f"{kind}_met").fill_null(value=False), known=end.is_not_null(),
                day_at=pl.col(f"{kind}_last_at"), zone="place_zone", unknown="no promise of that kind",
                why_not=_not_asked(entity), kept=_why_missed(entity), missed="kept")  # fmt: skip


def _not_asked(entity: str) -> pl.Expr:
    if entity == "order":
        return not_due(pl.col("is_alive"))
    return either(
        (pl.col("is_off"), "cancelled before dispatch"), (pl.col("is_again"), "a second attempt: the first one counts"),
        otherwise="not due yet",
    )  # fmt: skip


def _why_missed(entity: str) -> pl.Expr:
    if entity == "order":
        return text("not on a lorry yet")
    return pl.coalesce(
        either(
            (~pl.col("is_delivered") & pl.col("is_brought_again"), "the first attempt failed"),
            (~pl.col("is_delivered"), "not delivered"),
        ),
        is_early(),
    )


def with_perfection(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Adds whether a shipment's invoice was ever corrected, and whether all else was as it should be."""
    complete = pl.col("has_documents").fill_null(value=False)
    whole = ~pl.col("is_damaged").fill_null(value=False)
    found = ships.join(_documents(inputs), on="shipment_no", how="left").join(
        _damage(inputs), on="shipment_no", how="left"
    )
    corrected = pl.col("shipment_no").is_in(_corrected(inputs, ships).implode())
    found = found.with_columns(
        corrected.alias("is_corrected"),
        (pl.col("is_kept") & complete & whole).alias("is_flawless"),
        either(
            (~pl.col("is_kept"), "not on time in full"),
            (~whole, "damaged"),
            (~complete, "a document is missing"),
            (corrected, CORRECTED),
        ).alias("flaw"),
    )
    return found.with_columns((pl.col("is_flawless") & ~pl.col("is_corrected")).alias("is_perfect"))


def _documents(inputs: Inputs) -> pl.DataFrame:
    """Of the live proof: under seal what the customer asks for."""
    sealed = inputs["pod", "evidence"].filter(status="sealed")
    kinds = sealed.group_by("pod_id").agg(
        (pl.col("kind") == "signature").any().alias("signature"),
        (pl.col("kind") == "photo").any().alias("photo"),
    )
    asked = inputs["erp", "customers"].select("customer_id", "requires_signature", "requires_photo")
    of_order = inputs["erp", "orders"].select("order_id", "customer_id").join(asked, on="customer_id")
    of_ship = (
        inputs["dispatch", "consignments"].select("consignment_id", "order_id").join(of_order, on="order_id")
    )
    found = live_proofs(inputs).select("consignment_id", "pod_id").join(of_ship, on="consignment_id")
    found = found.join(kinds, on="pod_id", how="left")
    missing = [
        pl.col(f"requires_{kind}") & ~pl.col(kind).fill_null(value=False) for kind in ("signature", "photo")
    ]
    return found.select((~pl.any_horizontal(missing)).alias("has_documents"), shipment_no="consignment_id")


def _damage(inputs: Inputs) -> pl.DataFrame:
    told = live_proofs(inputs).filter("has_damage").select(shipment_no="consignment_id")
    seen = inputs["dispatch", "actions"].filter(
        pl.col("result_reason").str.to_lowercase().str.contains("damage"), lifecycle="realized"
    )
    both = pl.concat([told, seen.select(shipment_no="consignment_id")]).unique()
    return both.with_columns(pl.lit(value=True).alias("is_damaged"))


def _corrected(inputs: Inputs, ships: pl.DataFrame) -> pl.Series:
    """Shipments that an invoice billed which was cancelled or credited after it had been posted."""
    wrong = invoices(inputs).filter(
        pl.col("posted_at").is_not_null(), (pl.col("status") == "cancelled") | pl.col("is_credited")
    )
    return bills_of(wrong, ships)["shipment_no"].unique()


def perfect(inputs: Inputs, frame: pl.DataFrame, entity: str, scope: pl.Expr) -> pl.DataFrame:
    """Of what is due as in the rate of those on time and in full."""
    end = pl.col("first_confirmed_ends_at")
    due = end.is_null() | (end <= inputs.as_of)
    return rate(frame, "perfect_order_rate", variant=entity, entity=entity, scope=scope & due,
                met=pl.col("is_perfect"), known=end.is_not_null(),
                day_at=pl.col("first_confirmed_last_at"), zone="place_zone", why_not=not_due(scope),
                unknown="no promise is known", missed=pl.col("flaw"))  # fmt: skip
