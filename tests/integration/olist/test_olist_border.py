"""The Olist example gives the published figures: computed once from the raw files by code that shares
nothing with the adapter, and once from what the adapter hands over."""

import math
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from core.connections import load_connections
from core.errors import PermanentFailure
from ingestion.files.extract import Extract

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT.parent / "shared" / "data" / "olist"
EXAMPLE = ROOT / "connections" / "examples" / "olist"
ZONE = "America/Sao_Paulo"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real Olist extract is not at ../shared/data/olist: nothing to compare with"
)

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in [each for each in os.environ if each.startswith("OLIST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OLIST_DIR", str(DATA / "dev_slice"))
    yield monkeypatch


def border() -> Rows:
    """Every row of every resource, as its contract accepts it."""
    rows: Rows = {}
    for connection in load_connections(EXAMPLE):
        extract = Extract(connection)
        for resource in extract.resources():
            mapped = list(extract.rows(resource))
            assert [row.fault for row in mapped if row.fault] == []
            accepted = [resource.contract.model_validate(row.fields).model_dump() for row in mapped]
            rows[f"{resource.kind}.{resource.name}"] = accepted
    return rows


def raw(name: str, folder: str = "dev_slice") -> pl.DataFrame:
    return pl.read_csv(DATA / folder / f"olist_{name}_dataset.csv", infer_schema=False)


def seconds(frame: pl.DataFrame, start: str, end: str) -> tuple[int, int, float, float, float]:
    """n without negatives, negatives, and the discrete p50, p90, p95 of the rest."""
    parsed = frame.select(
        pl.col(f"order_{each}").str.to_datetime("%Y-%m-%d %H:%M:%S").dt.replace_time_zone(ZONE)
        for each in (start, end)
    ).drop_nulls()
    took = (parsed[f"order_{end}"] - parsed[f"order_{start}"]).dt.total_seconds()
    return summary(took.to_list())


def summary(took: list[float]) -> tuple[int, int, float, float, float]:
    kept = sorted(each for each in took if each >= 0)
    p50, p90, p95 = (kept[math.ceil(share * len(kept)) - 1] for share in (0.5, 0.9, 0.95))
    return len(kept), len(took) - len(kept), p50, p90, p95


def order_to_dispatch(rows: Rows) -> tuple[int, int, float, float, float]:
    """As the marts define it: confirmed → end of the first load realized and succeeded."""
    confirmed = {each["order_id"]: each["confirmed_at"] for each in rows["erp.orders"]}
    order_of = {each["consignment_id"]: each["order_id"] for each in rows["dispatch.consignments"]}
    departed: dict[str, datetime] = {}
    for each in rows["dispatch.actions"]:
        if (each["action_type"], each["lifecycle"], each["result_status"]) == (
            "load",
            "realized",
            "succeeded",
        ):
            order = order_of[each["consignment_id"]]
            departed[order] = min(departed.get(order, each["end_at"]), each["end_at"])
    return summary(
        [
            (instant - confirmed[order]).total_seconds()
            for order, instant in departed.items()
            if confirmed[order] is not None
        ]
    )


def on_time(rows: Rows) -> tuple[int, int]:
    orders = {each["order_id"]: each for each in rows["erp.orders"]}
    held = due = 0
    for each in rows["dispatch.actions"]:
        if each["action_type"] != "handOver":
            continue
        order = orders[each["consignment_id"]]
        promise, delivered = order["first_promised_at"], each["end_at"]
        if order["promise_precision"] == "date":
            zone = ZoneInfo(order["time_zone"])
            held += delivered.astimezone(zone).date() <= promise.astimezone(zone).date()
        else:
            held += delivered <= promise
        due += 1
    return held, due


def test_the_raw_files_give_the_published_figures() -> None:
    orders = raw("orders")
    assert seconds(orders, "approved_at", "delivered_carrier_date") == (1678, 14, 153_841, 535_143, 702_782)
    assert seconds(orders, "purchase_timestamp", "delivered_carrier_date") == (
        1690, 2, 196_341, 579_642, 751_771,
    )  # fmt: skip
    done = orders.filter(pl.col("order_delivered_customer_date").is_not_null())
    delivered, promised = pl.col("order_delivered_customer_date"), pl.col("order_estimated_delivery_date")
    assert done.height == 1375
    assert done.filter(delivered.str.slice(0, 10) <= promised.str.slice(0, 10)).height == 1281
    assert done.filter(delivered <= promised).height == 1262


def test_the_example_gives_the_published_figures(environment: pytest.MonkeyPatch) -> None:
    rows = border()
    assert order_to_dispatch(rows) == (1678, 14, 153_841, 535_143, 702_782)
    assert on_time(rows) == (1281, 1375)


def test_two_variables_choose_the_other_reading(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OLIST_CONFIRMED_BY", "order_purchase_timestamp")
    environment.setenv("OLIST_PROMISE", "timestamp")
    rows = border()
    assert order_to_dispatch(rows) == (1690, 2, 196_341, 579_642, 751_771)
    assert on_time(rows) == (1262, 1375)


def test_nothing_is_lost_or_invented(environment: pytest.MonkeyPatch) -> None:
    rows = border()
    orders, items = raw("orders"), raw("order_items")
    for kind in ("erp.orders", "erp.customers", "dispatch.consignments"):
        assert len(rows[kind]) == orders.height == 2140
    for kind in ("erp.order_lines", "dispatch.consignment_lines", "carrier.freight_charges"):
        assert len(rows[kind]) == items.height == 2201
    assert len(rows["pod.proofs"]) == 1375
    lines = {each["order_id"] for each in rows["erp.order_lines"]}
    assert len([each for each in rows["erp.orders"] if each["order_id"] not in lines]) == 203
    freight = sum(each["amount"] for each in rows["carrier.freight_charges"])
    assert freight == items["freight_value"].str.to_decimal(scale=2).sum()
    assert {each["time_quality"] for each in rows["erp.orders"]} == {"assumed_zone"}
    known = {each["item_id"] for each in rows["erp.items"]}
    assert {each["item_id"] for each in rows["erp.order_lines"]} <= known


def test_what_real_orders_do_is_kept_as_it_is(environment: pytest.MonkeyPatch) -> None:
    rows = border()
    cancelled = {each["order_id"] for each in rows["erp.orders"] if each["status"] == "cancelled"}
    loads = {e["consignment_id"]: e["end_at"] for e in rows["dispatch.actions"] if e["action_type"] == "load"}
    hands = {
        e["consignment_id"]: e["end_at"] for e in rows["dispatch.actions"] if e["action_type"] == "handOver"
    }
    assert len(cancelled & loads.keys()) == 17, "cancelled after dispatch"
    assert len([order for order, instant in hands.items() if instant < loads[order]]) == 1
    assert sum(each["confirmed_at"] is None for each in rows["erp.orders"]) == 44


def test_the_messy_copy_is_read_without_a_change(environment: pytest.MonkeyPatch) -> None:
    """US dates, no seconds, 89,442 blank rows, and none of the other files."""
    environment.setenv("OLIST_DIR", str(DATA / "messy_orders"))
    rows = border()
    expected = raw("orders", "messy_orders").filter(pl.col("order_id").is_not_null())
    assert len(rows["erp.orders"]) == expected.height == 9999
    assert len(rows["erp.customers"]) == 9999
    assert rows["erp.order_lines"] == []
    assert rows["carrier.freight_charges"] == []
    at_border = {each["order_id"]: each["confirmed_at"] for each in rows["erp.orders"]}
    parsed = expected.select(
        "order_id", pl.col("order_approved_at").str.to_datetime("%m/%d/%Y %H:%M").dt.replace_time_zone(ZONE)
    )
    assert at_border == dict(parsed.iter_rows())


def test_a_folder_without_the_orders_is_told(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copy(DATA / "dev_slice" / "olist_order_items_dataset.csv", tmp_path)
    environment.setenv("OLIST_DIR", str(tmp_path))
    with pytest.raises(PermanentFailure, match=r"olist_deliveries: no file fits olist_orders_dataset\.csv"):
        border()
