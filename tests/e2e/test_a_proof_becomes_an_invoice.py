"""The event path on real processes: API, worker and the sandbox's ERP; the delivery note comes first, an exception is an
issue that follows it, and a worker that is killed bills and tells nothing twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from sqlalchemy import Engine, select

from cli.live import DISPATCH, play
from cli.services import answers, services, wait_until
from core.clock import utc_now
from core.ids import new_id
from core.settings import Settings, get_settings
from core.warehouse import open_serving
from orchestration.run import prepare_instance
from state import inbox, keys, outbox
from state.engine import open_state, reading
from state.observations import business_now
from state.tables import outbox as outbox_table
from tests.support.sandbox import Running, running_sandbox

WORKER = [sys.executable, "-m", "orchestration.worker"]
PATIENCE_S = 240.0
ERP_HAS = {"Sales Invoice": "invoice", "Delivery Note": "fulfilment"}
"""Doctype → the operation that writes it."""
ASSETS = (
    ["raw_pod", "proofs"],
    ["candidates", "fulfilment_candidates"],
    ["candidates", "invoice_candidates"],
    ["erp", "fulfilments"],
    ["erp", "invoices"],
)


@pytest.fixture(scope="module")
def sandbox(first: dict[str, Any], home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The first run's home, copied, with its outside world running again."""
    assert first
    mine = tmp_path_factory.mktemp("events") / "home"
    shutil.copytree(home, mine)
    with running_sandbox(mine, orders=240) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in {**running.env, "WAYBILL_HOME": str(mine)}.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        yield running
    get_settings.cache_clear()


@pytest.fixture(scope="module")
def settings(sandbox: Running) -> Settings:
    return get_settings()


@pytest.fixture(scope="module")
def api(settings: Settings) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with services(settings, {"api": [sys.executable, "-m", "api", "--port", str(port)]}) as children:
        wait_until(children, "The API", lambda: answers(f"{url}/healthz"), PATIENCE_S)
        yield url


@contextmanager
def worker(settings: Settings) -> Iterator[int]:
    """A worker that is ready; its process."""
    settings.worker_note.unlink(missing_ok=True)
    with services(settings, {"worker": WORKER}) as children:
        wait_until(children, "The worker", settings.worker_note.exists, PATIENCE_S)
        yield _pid(settings)


def _pid(settings: Settings) -> int:
    return int(json.loads(settings.worker_note.read_text(encoding="utf-8"))["pid"])


def test_a_delivery_is_billed_by_itself_and_told_to_dagster(
    sandbox: Running, settings: Settings, api: str
) -> None:
    with worker(settings):
        (delivery,) = play(settings, api, 1)
    assert delivery.invoice, delivery.why_not
    (invoice,), (note,) = (documents(sandbox, each, delivery.shipment_no) for each in ERP_HAS)
    assert note["custom_posted_at"] < invoice["custom_posted_at"], (
        "the delivery is confirmed before it is billed"
    )
    assert (note["custom_shipment"], note["custom_proof_of_delivery"]) == (
        delivery.shipment_no,
        delivery.pod_id,
    )
    with dg.DagsterInstance.from_config(str(prepare_instance(settings))) as instance:
        for key in ASSETS:
            event = instance.get_latest_materialization_event(dg.AssetKey(key))
            assert event is not None and event.asset_materialization is not None
            assert "waybill/batch" in (event.asset_materialization.tags or {}), key


def test_a_worker_that_is_killed_while_it_works_bills_everything_once(
    sandbox: Running, settings: Settings, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.live.PATIENCE_S", 0.0)  # sent, and not waited for
    engine = open_state(settings)
    with worker(settings) as pid:
        sent = play(settings, api, 2)
        until(lambda: not inbox.waiting(engine))  # loaded; built, judged and pushed next
        os.kill(pid, signal.SIGKILL)
    numbers = tuple(each.shipment_no for each in sent)
    assert len(numbers) == 2
    with worker(settings):
        until(lambda: len(states(engine, numbers)) == 4)
        until(lambda: not outbox.is_due(engine, "sandbox_erp", utc_now() + timedelta(days=1)))
    assert states(engine, numbers) == ["ACKED"] * 4
    for doctype in ERP_HAS:
        assert [len(documents(sandbox, doctype, each)) for each in numbers] == [1, 1], doctype


@pytest.fixture(scope="module")
def dispatch(settings: Settings, api: str) -> Iterator[httpx.Client]:
    """The partner that raises exceptions of its own shipments."""
    _, token = keys.create(
        open_state(settings), DISPATCH, ("exceptions:write",), timedelta(hours=1), "test", utc_now()
    )
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    with httpx.Client(base_url=api, headers=headers, timeout=30.0) as client:
        yield client


def under_way(settings: Settings, most: int) -> list[str]:
    """Shipments that have an order."""
    with open_serving(settings) as marts:
        found = marts.execute(
            "SELECT shipment_no FROM marts.fct_shipments WHERE order_no IS NOT NULL AND source_system = ? "
            "AND cancelled_at IS NULL ORDER BY shipment_no DESC LIMIT ?",
            [DISPATCH, most],
        ).fetchall()
    assert len(found) == most
    return [shipment for (shipment,) in found]


def turn(dispatch: httpx.Client, settings: Settings, exception: str, shipment: str, change: str) -> str:
    """Send one turn of an exception, twice: a partner that hears no answer does; what became of the second."""
    body = {
        "event_id": f"{exception}-{change}", "exception_id": exception, "change": change, "code": "BREAKDOWN",
        "occurred_at": business_now(open_state(settings)).isoformat(), "severity": "high",
        "cause_class": "technical", "consignment_id": shipment,
    }  # fmt: skip
    answers = [
        dispatch.post("/v1/exceptions", json=body, headers={"Idempotency-Key": body["event_id"]})
        for _ in "12"
    ]
    assert [each.status_code // 100 for each in answers] == [2, 2], answers[-1].text
    return str(answers[-1].json()["outcome"])


def issues(sandbox: Running, exception: str) -> list[tuple[str, str]]:
    """Names and states of the ERP's issues about an exception."""
    found = listed(sandbox, "Issue", ["custom_exception", "=", exception])
    return [(each["name"], each["status"]) for each in found]


def test_an_exception_is_an_issue_that_is_resolved_with_it(
    sandbox: Running, settings: Settings, dispatch: httpx.Client
) -> None:
    (shipment,), exception = under_way(settings, 1), new_id("EX")[:20]
    with worker(settings):
        assert turn(dispatch, settings, exception, shipment, "opened") == "duplicate"
        until(lambda: [status for _, status in issues(sandbox, exception)] == ["Open"])
        ((name, _),) = issues(sandbox, exception)
        turn(dispatch, settings, exception, shipment, "paused")
        until(lambda: issues(sandbox, exception) == [(name, "On Hold")])
        turn(dispatch, settings, exception, shipment, "resolved")
        until(lambda: issues(sandbox, exception) == [(name, "Resolved")])
    with dg.DagsterInstance.from_config(str(prepare_instance(settings))) as instance:
        for key in (["candidates", "exception_alert_candidates"], ["erp", "exception_alerts"]):
            event = instance.get_latest_materialization_event(dg.AssetKey(key))
            assert event is not None and event.asset_materialization is not None
            assert "waybill/batch" in (event.asset_materialization.tags or {}), key


def test_a_worker_that_is_killed_tells_of_each_exception_once(
    sandbox: Running, settings: Settings, dispatch: httpx.Client
) -> None:
    engine, shipments = open_state(settings), under_way(settings, 3)
    told = {new_id("EX")[:20]: shipment for shipment in shipments}
    with worker(settings) as pid:
        for exception, shipment in told.items():
            turn(dispatch, settings, exception, shipment, "opened")
        until(lambda: not inbox.waiting(engine))
        os.kill(pid, signal.SIGKILL)
    with worker(settings):
        until(lambda: all(issues(sandbox, each) for each in told))
        until(lambda: not outbox.is_due(engine, "sandbox_erp", utc_now() + timedelta(days=1)))
    assert [[status for _, status in issues(sandbox, each)] for each in told] == [["Open"]] * 3


def states(engine: Engine, numbers: tuple[str, ...]) -> list[str]:
    """Where the confirmations and invoices of shipments stand."""
    query = select(outbox_table.c.state).where(
        outbox_table.c.shipment_no.in_(numbers), outbox_table.c.operation.in_(ERP_HAS.values())
    )
    with reading(engine) as db:
        return list(db.scalars(query))


def documents(sandbox: Running, doctype: str, shipment: str) -> list[dict[str, Any]]:
    """The submitted documents that the ERP has under the key of a shipment's invoice or confirmation."""
    query = select(outbox_table.c.idempotency_key).where(
        outbox_table.c.shipment_no == shipment, outbox_table.c.operation == ERP_HAS[doctype]
    )
    with reading(open_state(get_settings())) as db:
        (key,) = db.scalars(query)
    return listed(sandbox, doctype, ["custom_waybill_key", "=", key], ["docstatus", "=", 1])


def listed(sandbox: Running, doctype: str, *filters: list[Any]) -> list[dict[str, Any]]:
    name, secret = (sandbox.env[f"SANDBOX_ERP_API_{each}"] for each in ("KEY", "SECRET"))
    answer = httpx.get(
        f"{sandbox.url('erp')}/api/resource/{doctype}",
        params={"filters": json.dumps(filters), "fields": '["*"]'},
        headers={"Authorization": f"token {name}:{secret}"},
    )
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
    return found


def until(happened: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
