"""Whether shipments and orders came on time and whole."""

from __future__ import annotations

import polars as pl

from tests.reference.facts import either, rate
from tests.reference.inputs import Inputs
from tests.reference.promises import KINDS


def of_shipments(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    delivered = pl.col("is_delivered")
    delivery_day = pl.col("delivered_at")
    rates = [
        rate(ships, "on_time_rate", variant=kind, scope=delivered, met=pl.col(f"{kind}_met"),
             known=pl.col(f"{kind}_met").is_not_null(), day_at=delivery_day, zone="place_zone",
             why_not="not delivered", unknown="no promise", missed=_off_time(kind))
        for kind in KINDS
    ]  # fmt: skip
    full = rate(ships, "in_full_rate", scope=delivered, met=pl.col("is_in_full"),
                known=pl.col("is_in_full").is_not_null(), day_at=delivery_day, zone="place_zone",
                why_not="not delivered", unknown="ordered or accepted quantity is not known", missed="short")  # fmt: skip
    return pl.concat([*rates, full, _otif(inputs, ships, "shipment", ~pl.col("is_off"))])


def of_orders(inputs: Inputs, orders: pl.DataFrame) -> pl.DataFrame:
    """An order is kept when each of its living shipments is; without one it is missed once it is due."""
    return _otif(inputs, orders, "order", pl.col("is_alive"))


def with_verdict(ships: pl.DataFrame) -> pl.DataFrame:
    """Adds whether each shipment came on time and whole."""
    kept = pl.col("first_confirmed_met").fill_null(value=False) & pl.col("is_in_full").fill_null(value=False)
    return ships.with_columns(kept.alias("is_kept"))


def _otif(inputs: Inputs, frame: pl.DataFrame, entity: str, scope: pl.Expr) -> pl.DataFrame:
    """Due is what has a promise that has passed; without one nobody can say. Undelivered counts as missed."""
    end = pl.col("first_confirmed_ends_at")
    due = end.is_null() | (end <= inputs.as_of)
    return rate(frame, "otif_rate", variant=entity, entity=entity, scope=due & scope, met=pl.col("is_kept"),
                known=end.is_not_null(), day_at=pl.col("first_confirmed_last_at"),
                zone="place_zone", why_not=not_due(scope), unknown="no promise is known",
                missed=_broken() if entity == "shipment" else "a shipment of it is late, short or missing")  # fmt: skip


def not_due(scope: pl.Expr) -> pl.Expr:
    return either((~scope, "cancelled before dispatch"), otherwise="not due yet")


def _broken() -> pl.Expr:
    return either(
        (~pl.col("is_delivered"), "not delivered"),
        (~pl.col("first_confirmed_met").fill_null(value=False), "not on time"),
        otherwise="not in full",
    )


def _off_time(kind: str) -> pl.Expr | str:
    if kind == "first_confirmed":
        return is_early()
    return {"requested": "after what was asked for", "last_confirmed": "outside the promise"}[kind]


def is_early() -> pl.Expr:
    early = pl.col("delivered_at") < pl.col("promised_from_at")
    return either((early, "before the promised window"), otherwise="after the promise")
