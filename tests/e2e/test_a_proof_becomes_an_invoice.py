"""The event path on real processes: API, worker and the sandbox's ERP; the delivery note comes first, and a worker
that is killed bills nothing twice."""

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

from cli.live import play
from cli.services import answers, services, wait_until
from core.clock import utc_now
from core.settings import Settings, get_settings
from orchestration.run import prepare_instance
from state import inbox, outbox
from state.engine import open_state, reading
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


def states(engine: Engine, numbers: tuple[str, ...]) -> list[str]:
    """Where the confirmations and invoices of shipments stand."""
    with reading(engine) as db:
        return list(db.scalars(select(outbox_table.c.state).where(outbox_table.c.shipment_no.in_(numbers))))


def documents(sandbox: Running, doctype: str, shipment: str) -> list[dict[str, Any]]:
    """The submitted documents that the ERP has under the key of a shipment's invoice or confirmation."""
    query = select(outbox_table.c.idempotency_key).where(
        outbox_table.c.shipment_no == shipment, outbox_table.c.operation == ERP_HAS[doctype]
    )
    with reading(open_state(get_settings())) as db:
        (key,) = db.scalars(query)
    name, secret = (sandbox.env[f"SANDBOX_ERP_API_{each}"] for each in ("KEY", "SECRET"))
    answer = httpx.get(
        f"{sandbox.url('erp')}/api/resource/{doctype}",
        params={
            "filters": json.dumps([["custom_waybill_key", "=", key], ["docstatus", "=", 1]]),
            "fields": '["*"]',
        },
        headers={"Authorization": f"token {name}:{secret}"},
    )
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
    return found


def until(happened: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
