"""What became of each order: its shipments, their first and last departure, its promise."""

from __future__ import annotations

import polars as pl

from tests.reference.delivery import with_verdict
from tests.reference.inputs import Inputs
from tests.reference.promises import with_promises
from tests.reference.quantities import short_orders
from tests.reference.times import INSTANT, rank

_SHARED = (
    "order_no", "company_id", "customer_id", "depot_id", "region", "carrier_id", "connection", "confirmed_at",
    "released_at", "first_departed_at", "last_departed_at", "first_confirmed_ends_at", "first_confirmed_last_at",
    "depot_zone", "place_zone", "quality", "is_alive", "is_kept", "is_perfect", "flaw",
)  # fmt: skip


def orders(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """One row per order that dispatch has a shipment of, and per order that still waits for one."""
    return pl.concat([_carried(inputs, ships).select(_SHARED), waiting(inputs, ships).select(_SHARED)])


def _carried(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """The order lives while one shipment does; a failed attempt counts by what brought it again. Cut by a place
    that its shipments do not share, it counts for the first by name."""
    short = short_orders(inputs, ships).with_columns(is_short=pl.lit(value=True))
    ships = ships.join(short, on="order_no", how="left").with_columns(
        pl.col("is_short").fill_null(value=False)
    )
    is_whole = ~pl.col("is_short").any()
    living = ~pl.col("is_off")
    goods = living & ~pl.col("is_again")
    judged = living & ~pl.col("is_brought_again")
    departures = pl.col("departed_at").filter(goods)
    last_promise = pl.col("first_confirmed_last_at").max()
    return ships.group_by("order_no").agg(
        living.any().alias("is_alive"),
        departures.min().alias("first_departed_at"),
        pl.when(departures.null_count() == 0).then(departures.max()).alias("last_departed_at"),
        pl.col("released_at").filter(goods).min(),
        pl.col("confirmed_at").min(),
        pl.col("quality").max(),
        pl.col("first_confirmed_ends_at").max(),
        last_promise,
        pl.col("is_kept").filter(judged).all() & is_whole,
        # Of several flaws the first by name: each is a reason.
        pl.coalesce(
            pl.col("flaw").filter(judged).min(), pl.when(pl.col("is_corrected").any()).then(pl.lit("its invoice was corrected")),
            pl.when(~is_whole).then(pl.lit("not on time in full")),
        ),
        (pl.col("is_flawless").filter(judged).all() & ~pl.col("is_corrected").any() & is_whole).alias("is_perfect"),
        pl.col("place_zone").filter(pl.col("first_confirmed_last_at") == last_promise).min().alias("last_zone"),
        *(pl.col(name).min() for name in ("depot_zone", "place_zone", "company_id", "customer_id", "depot_id",
                                          "region", "carrier_id", "connection")),
    ).with_columns(pl.coalesce("last_zone", "place_zone").alias("place_zone"))  # fmt: skip


def waiting(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Ordered and not cancelled: nobody knows yet where it leaves for, so the order's own zone tells its day."""
    depots = inputs["dispatch", "locations"].select(depot_id="location_id", depot_zone="time_zone")
    nobody = pl.lit(None, pl.String())
    never = pl.lit(None, INSTANT)
    found = inputs["erp", "orders"].rename({"order_id": "order_no", "time_zone": "order_zone"}).with_columns(
        pl.col("order_zone").alias("place_zone"),
        pl.col("source_system").alias("connection"),
        rank().alias("quality"),
        (~pl.col("status").is_in(["draft", "cancelled"]) & pl.col("cancelled_at").is_null()).alias("is_alive"),
        region=nobody, carrier_id=nobody, released_at=never, first_departed_at=never, last_departed_at=never,
        delivered_at=never, is_in_full=pl.lit(None, pl.Boolean()), is_perfect=pl.lit(value=False), flaw=pl.lit("not on a lorry yet"),
    )  # fmt: skip
    found = found.join(ships.select("order_no").unique(), on="order_no", how="anti")
    return with_verdict(with_promises(found.join(depots, on="depot_id", how="left")))
