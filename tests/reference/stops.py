"""Stops from what was done there: when somebody came and left, whose they are, and how long waiting took beyond what is free."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from tests.reference.facts import cycle, either
from tests.reference.inputs import Inputs
from tests.reference.times import rank

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project" / "dbt_project.yml"
_HANDS_OVER = ("unload", "handOver")
_ACCEPTED = ("succeeded", "partiallySucceeded")
_OWNERS = ("company_id", "customer_id", "carrier_id")


@cache
def setting(name: str) -> Any:
    """What the marts are configured with."""
    return yaml.safe_load(PROJECT.read_text(encoding="utf-8"))["vars"][name]


def stops(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """One row per stop; goods that were loaded for it elsewhere were not loaded there."""
    place = pl.coalesce(
        pl.col("location_id").filter(action_type="stop").min().over("stop_no"),
        pl.col("location_id").filter(pl.col("action_type") != "load").min().over("stop_no"),
    )
    acts = (
        inputs["dispatch", "actions"]
        .filter(pl.col("stop_id").is_not_null() | (pl.col("action_type") == "stop"))
        .with_columns(pl.coalesce("stop_id", "action_id").alias("stop_no"), rank().alias("quality"))
        .with_columns(place.alias("place_id"))
    )
    here = (pl.col("location_id") == pl.col("place_id")).fill_null(value=True)
    done, is_stop = pl.col("lifecycle") == "realized", pl.col("action_type") == "stop"
    found = (
        acts.filter((pl.col("action_type") != "load") | here)
        .group_by("stop_no")
        .agg(
            pl.col("source_system").first().alias("connection"),
            pl.col("trip_id").min(),
            pl.coalesce("place_id", "location_id").min().alias("location_id"),
            _either(pl.col("start_at").filter(done & is_stop), pl.col("start_at").filter(done)).alias(
                "arrived_at"
            ),
            _latest(pl.col("end_at").filter(done & is_stop), pl.col("end_at").filter(done)).alias(
                "departed_at"
            ),
            pl.col("free_time_s").max(),
            pl.col("planned_start_at").min(),
            pl.col("planned_end_at").max(),
            pl.col("sequence_nr").min(),
            pl.col("consignment_id").drop_nulls().n_unique().alias("shipment_count"),
            (pl.col("action_type").is_in(_HANDS_OVER) & done & pl.col("result_status").is_in(_ACCEPTED))
            .sum()
            .alias("delivered_count"),
            (done & (pl.col("result_status") == "failed")).sum().alias("failed_count"),
            pl.col("action_type").is_in(_HANDS_OVER).any().alias("is_delivery"),
            pl.col("quality").max(),
        )
    )
    return _with_owners(inputs, ships, _with_places(inputs, found))


def _either(first: pl.Expr, other: pl.Expr) -> pl.Expr:
    return pl.coalesce(first.min(), other.min())


def _latest(first: pl.Expr, other: pl.Expr) -> pl.Expr:
    return pl.coalesce(first.max(), other.max())


def _with_places(inputs: Inputs, found: pl.DataFrame) -> pl.DataFrame:
    trips = inputs["dispatch", "trips"].select("trip_id", "vehicle_id", "depot_id")
    places = inputs["dispatch", "locations"].select("location_id", "region", zone="time_zone")
    return (
        found.join(trips, on="trip_id", how="left")
        .join(places, on="location_id", how="left")
        .with_columns(pl.col("zone").fill_null("UTC"))
    )


def _with_owners(inputs: Inputs, ships: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Whose the goods are that were brought there; of a stop for several, nobody's. And whether waiting was charged."""
    codes = setting("waiting_codes")
    charged = inputs["dispatch", "consignment_charges"].filter(
        pl.col("code").str.to_uppercase().is_in(codes)
    )["evidence_action_id"]
    acts = inputs["dispatch", "actions"].filter(
        pl.col("stop_id").is_not_null() & (pl.col("action_type") != "load")
    )
    owners = (
        acts.join(
            ships.select("shipment_no", *_OWNERS),
            left_on="consignment_id",
            right_on="shipment_no",
            how="left",
        )
        .group_by(pl.col("stop_id").alias("stop_no"))
        .agg(
            *(
                pl.when(pl.col(n).drop_nulls().n_unique() == 1).then(pl.col(n).min()).alias(n)
                for n in _OWNERS
            ),
            pl.col("action_id").is_in(charged.drop_nulls().implode()).any().alias("is_charged"),
        )
    )
    return found.join(owners, on="stop_no", how="left")


def detention(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """How long somebody stood beyond the free time; to be charged where the contract was claimed to say so."""
    stayed = (pl.col("departed_at") - pl.col("arrived_at")).dt.total_microseconds() / 1e6
    found = stops(inputs, ships).with_columns(
        pl.max_horizontal(stayed - pl.col("free_time_s"), pl.lit(0.0)).alias("beyond_s")
    )
    found = found.with_columns(
        pl.when(pl.col("free_time_s").is_not_null() & stayed.is_not_null()).then("beyond_s").alias("beyond_s")
    )
    agreed = pl.col("free_time_s").is_not_null()
    charged = pl.col("is_charged").fill_null(value=False)
    not_billed = either(
        (charged, "no free time is agreed"),
        (pl.col("beyond_s") == 0, "nothing to charge"),
        otherwise="nobody says that it may be charged",
    )
    return pl.concat(
        [
            cycle(found, "detention_s", inputs.as_of, start="arrived_at", end="departed_at", zone="zone",
                  scope=scope, variant=variant, entity="stop", length=found["beyond_s"],
                  why_not=why_not)
            for variant, scope, why_not in (
                ("default", agreed, "no free time is agreed"), ("billable", agreed & charged, not_billed)
            )
        ]
    )  # fmt: skip
