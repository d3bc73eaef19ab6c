"""``waybill demo --live`` from its beginning to its end: proofs go in through the API, and each comes out as one invoice.

It is the demo's repetition too (``conftest``): the runs of both are looked at elsewhere.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest

STEPS = ("accepted", "loaded", "posted")
WAY = (
    "message received",
    "message loaded",
    "fulfilment: attempt 1",
    "fulfilment read back equal",
    "invoice: attempt 1",
    "invoice read back equal",
)
ASSETS = (
    ["raw_pod", "proofs"],
    ["candidates", "fulfilment_candidates"],
    ["candidates", "invoice_candidates"],
    ["erp", "fulfilments"],
    ["erp", "invoices"],
)
Documents = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def deliveries(second: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = second["deliveries"]
    return found


@pytest.fixture(scope="module")
def documents(second: dict[str, Any], again: Path) -> tuple[Documents, Documents]:
    """The ERP's delivery notes and invoices, by shipment, as its own database has them."""
    assert second
    world = sqlite3.connect(f"file:{again / 'sandbox' / 'world.sqlite'}?mode=ro", uri=True)
    try:
        return _by_shipment(world, "erp_delivered"), _by_shipment(world, "erp_written")
    finally:
        world.close()


def _by_shipment(world: sqlite3.Connection, table: str) -> Documents:
    found: Documents = {}
    for (body,) in world.execute(f"SELECT body FROM {table}"):
        document = json.loads(body)
        found.setdefault(str(document.get("custom_shipment")), []).append(document)
    return found


def test_each_delivery_becomes_an_invoice_while_one_watches(
    deliveries: list[dict[str, Any]], said: str
) -> None:
    assert len(deliveries) == len({each["shipment_no"] for each in deliveries}) > 0
    for each in deliveries:
        assert each["invoice"], each["why_not"]
        seconds = [each["seconds"][step] for step in STEPS]
        assert seconds == sorted(seconds)
        assert f"{each['shipment_no']}: invoice {each['invoice']} after {seconds[-1]:.1f} s" in said
    assert "everything that was started has stopped" in said


def test_its_trace_goes_from_the_message_to_the_invoice(deliveries: list[dict[str, Any]]) -> None:
    for each in deliveries:
        whats = [step["what"] for step in each["noted"]]
        assert {*WAY, "gate: released"} <= {*whats}, whats
        assert [whats.index(what) for what in WAY] == sorted(whats.index(what) for what in WAY), whats
        (end,) = [step for step in each["noted"] if step["what"] == WAY[-1]]
        assert end["detail"].startswith(f"{each['invoice']}, ")


def test_the_erp_has_one_confirmation_and_then_one_invoice_of_each(
    deliveries: list[dict[str, Any]], documents: tuple[Documents, Documents]
) -> None:
    for each in deliveries:
        (note,), (invoice,) = (found[each["shipment_no"]] for found in documents)
        assert (note["docstatus"], invoice["docstatus"]) == (1, 1)
        assert note["custom_posted_at"] < invoice["custom_posted_at"], "it is confirmed before it is billed"
        assert note["custom_proof_of_delivery"] == each["pod_id"]
        assert invoice["name"] == each["invoice"]


def test_dagster_is_told_of_what_the_worker_did(second: dict[str, Any], again: Path) -> None:
    assert second
    with (
        pytest.MonkeyPatch.context() as environment,
        dg.DagsterInstance.from_config(str(_dagster(again, environment))) as instance,
    ):
        for key in ASSETS:
            event = instance.get_latest_materialization_event(dg.AssetKey(key))
            assert event is not None and event.asset_materialization is not None
            assert "waybill/batch" in (event.asset_materialization.tags or {}), key


def _dagster(home: Path, environment: pytest.MonkeyPatch) -> Path:
    environment.setenv("DAGSTER_HOME", str(home / "dagster"))
    return home / "dagster"


def test_nothing_is_left_running(second: dict[str, Any], ran_in: Path) -> None:
    assert second
    left = [
        process.pid
        for process in psutil.process_iter(["cmdline", "environ"])
        if str(ran_in) in f"{process.info['cmdline']} {(process.info['environ'] or {}).get('WAYBILL_HOME')}"
    ]
    assert left == []
