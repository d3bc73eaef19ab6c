"""The event worker is killed at each step of a batch, and started again: each proof is confirmed and billed once.

One installation for all of it, on real processes: API, worker and the sandbox's ERP. Each place has a proof of its own; the
worker that makes good one death is the one that dies next.
"""

from __future__ import annotations

import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from sqlalchemy import Engine, select

from cli.live import POD, Delivery, clients, send_proof, upload_documents
from cli.services import answers, services, wait_until
from core.clock import utc_now
from core.settings import Settings, get_settings
from core.warehouse import open_serving, open_warehouse
from orchestration.run import prepare_instance, run_once
from state import heads, inbox
from state.engine import open_state, reading
from state.observations import business_now
from state.tables import dead_letters, push_attempts
from state.tables import outbox as outbox_table
from state.tables_of_messages import inbox as messages
from tests.support.departures import depart
from tests.support.sandbox import Running, running_sandbox
from tests.support.up import free_port
from tests.support.worker_deaths import BATCH, BEGIN, Doom, start

pytestmark = pytest.mark.long

PATIENCE_S = 240.0
DOCTYPES = ("Delivery Note", "Sales Invoice")
ASSETS = (["erp", "fulfilments"], ["erp", "invoices"])


@dataclass
class World:
    """An installation with a worker that is killed and started again. ``left``: deliveries whose proofs are still to be sent."""

    outside: Running
    settings: Settings
    engine: Engine
    instance: dg.DagsterInstance
    pod: httpx.Client
    left: list[Delivery]
    sent: list[Delivery] = field(default_factory=list)
    process: BaseProcess | None = None

    @property
    def doom(self) -> Doom:
        return Doom(self.settings.root)

    def start(self) -> None:
        self.doom.nowhere()
        self._begin()

    def start_to_die_at(self, place: str) -> None:
        self.doom.at(place)
        self._begin()

    def _begin(self) -> None:
        self.settings.worker_note.unlink(missing_ok=True)
        self.process = start(
            self.settings.root, {**self.outside.env, "WAYBILL_HOME": str(self.settings.root)}
        )

    def be_ready(self) -> None:
        if self.process is None or not self.process.is_alive():
            self.start()
        until(lambda: self.settings.worker_note.exists() or not self._lives())
        assert self._lives(), self.log

    def _lives(self) -> bool:
        return self.process is not None and self.process.is_alive()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()

    def died(self) -> bool:
        """Whether it was killed before long."""
        assert self.process is not None
        self.process.join(PATIENCE_S)
        return self.process.exitcode == -signal.SIGKILL

    def deliver(self, place: str | None = None) -> Delivery:
        """Send the next proof; the worker, if it runs, is to die of it at ``place``."""
        delivery = self.left.pop()
        documents = upload_documents(self.pod, delivery)
        if place is not None:
            self.doom.at(place)
        send_proof(self.pod, delivery, documents, business_now(self.engine) - timedelta(seconds=5))
        self.sent.append(delivery)
        return delivery

    @property
    def log(self) -> str:
        """The end of what the workers said."""
        return (self.settings.root / "worker.log").read_text(encoding="utf-8")[-3000:]

    def states(self, shipment: str) -> Counter[tuple[str, str]]:
        """Where the confirmation and the invoice of a shipment stand."""
        columns = outbox_table.c.operation, outbox_table.c.state
        with reading(self.engine) as db:
            found = db.execute(select(*columns).where(outbox_table.c.shipment_no == shipment)).all()
        return Counter((row.operation, row.state) for row in found)

    def is_told(self, after: float) -> bool:
        """Whether Dagster heard of the ERP's documents after an instant."""
        events = [self.instance.get_latest_materialization_event(dg.AssetKey(each)) for each in ASSETS]
        return all(each is not None and each.timestamp > after for each in events)

    def documents(self, doctype: str, shipment: str) -> list[int]:
        """The status of each document that the ERP has of a shipment: 0 is a draft, 1 posted."""
        name, secret = (self.outside.env[f"SANDBOX_ERP_API_{each}"] for each in ("KEY", "SECRET"))
        answer = httpx.get(
            f"{self.outside.url('erp')}/api/resource/{doctype}",
            params={"filters": f'[["custom_shipment", "=", "{shipment}"]]', "fields": '["docstatus"]'},
            headers={"Authorization": f"token {name}:{secret}"},
        )
        return [each["docstatus"] for each in answer.raise_for_status().json()["data"]]


@pytest.fixture(scope="module")
def world(first: dict[str, Any], home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The first run's home, copied, with its outside world running again, the API, and lorries on their way."""
    assert first
    mine = tmp_path_factory.mktemp("deaths") / "home"
    shutil.copytree(home, mine)
    with running_sandbox(mine, orders=240) as outside, pytest.MonkeyPatch.context() as patch:
        for name, value in {**outside.env, "WAYBILL_HOME": str(mine)}.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        settings = get_settings()
        engine = open_state(settings)
        left = depart(settings, engine, len(BATCH) + len(BEGIN) + 1)
        with (
            api(settings) as url,
            clients(settings, engine, url) as (_, pod),
            dg.DagsterInstance.from_config(str(prepare_instance(settings))) as instance,
        ):
            world = World(outside, settings, engine, instance, pod, left)
            try:
                yield world
            finally:
                world.kill()
    get_settings.cache_clear()


@contextmanager
def api(settings: Settings) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with services(settings, {"api": [sys.executable, "-m", "api", "--port", str(port)]}) as children:
        wait_until(children, "The API", lambda: answers(f"{url}/healthz"), PATIENCE_S)
        yield url


def until(happened: Callable[[], bool], why: Callable[[], str] = lambda: "it did not happen") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, why()
        time.sleep(0.02)


def made_good(world: World, delivery: Delivery, killed_at: float) -> None:
    """Return once one confirmation and one invoice are there, and nothing is left to do."""
    done = Counter({("fulfilment", "ACKED"): 1, ("invoice", "ACKED"): 1})
    until(
        lambda: world.states(delivery.shipment_no) == done and not inbox.waiting(world.engine),
        lambda: f"{world.states(delivery.shipment_no)}, {inbox.waiting(world.engine)}: {world.log}",
    )
    until(lambda: world.is_told(killed_at), lambda: "Dagster heard nothing of it")
    for doctype in DOCTYPES:
        assert world.documents(doctype, delivery.shipment_no) == [1], doctype


@pytest.mark.parametrize("place", BATCH)
def test_killed_in_a_batch(world: World, place: str) -> None:
    world.be_ready()
    delivery = world.deliver(place)
    assert world.died(), f"it did not come by {place}: {world.log}"
    killed_at = utc_now().timestamp()
    world.start()
    made_good(world, delivery, killed_at)


@pytest.mark.parametrize("place", BEGIN)
def test_killed_in_its_first_batch(world: World, place: str) -> None:
    world.be_ready()
    world.kill()
    delivery = world.deliver()
    world.start_to_die_at(place)
    assert world.died(), f"it did not come by {place}: {world.log}"
    killed_at = utc_now().timestamp()
    world.start()
    made_good(world, delivery, killed_at)


def test_the_next_run_publishes_each_once(world: World) -> None:
    """And nothing is left: no attempt without an end, no message that is open or given up, no head that does not fit."""
    assert world.sent
    world.kill()
    assert run_once(world.settings).problems == []
    once = Counter(each.shipment_no for each in world.sent)
    proofs = [each.pod_id for each in world.sent]
    with open_serving(world.settings) as marts:
        for table in ("fct_shipments", "fct_invoices"):
            found = marts.execute(f"SELECT shipment_no FROM marts.{table}").fetchall()
            assert Counter(row[0] for row in found if row[0] in once) == once, table
    with open_warehouse(world.settings, "test") as warehouse:
        found = warehouse.execute("SELECT pod_id FROM raw_pod.proofs").fetchall()
    assert Counter(row[0] for row in found if row[0] in proofs) == Counter(proofs)
    for each in world.sent:
        assert [world.documents(doctype, each.shipment_no) for doctype in DOCTYPES] == [[1], [1]]
    assert inbox.waiting(world.engine) == {}
    assert heads.problems(world.engine, heads.read(world.settings.ledger_heads)) == []
    came, attempts = messages.c, push_attempts.c
    with reading(world.engine) as db:
        assert (
            db.scalars(select(dead_letters.c.detail).where(dead_letters.c.kind == inbox.LETTER_KIND)).all()
            == []
        )
        assert db.scalars(select(attempts.attempt_id).where(attempts.ended_at.is_(None))).all() == []
        rows = db.execute(
            select(came.rows_in, came.loaded + came.duplicate, came.dead_lettered).where(
                came.partner == POD, came.event_id.in_([f"proof_of_delivery:{each}" for each in proofs])
            )
        ).all()
    assert len(rows) == len(proofs)
    assert all(rows_in == taken and not refused for rows_in, taken, refused in rows)
