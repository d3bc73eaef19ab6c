"""A scheduled run lets go of the warehouse between its parts, and a batch of events comes in between each two of them: what the
run has chosen stays whole, the next run has everything, and nobody is billed twice or not at all.

The parts are those of the project, the batches the worker's own; Dagster, dlt's reading of the sources and pages that nobody
opens are left out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import polars as pl
import pytest
from sqlalchemy import select

import ingestion.ledger
import ingestion.run
import quality.gate
from core.flows import FLOWS, INVOICE
from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion.events.rests import Rests
from ingestion.ledger import project_gate, project_ledger
from ingestion.run import ingest
from orchestration.dbt_assets import run_variables
from orchestration.dbt_runner import rebuild
from orchestration.event_batch import Batch, run_batch
from orchestration.event_builds import EventProject
from orchestration.event_warehouse import KeptWarehouse
from orchestration.platform import Platform
from quality.gate import GateResult, gate
from sandbox.servers import store
from sandbox.servers.access import DEFAULTS
from sandbox.world.moments import NOW
from sandbox.world.writing import lay_out, make
from state import credit_notes
from state.engine import reading
from state.tables import outbox
from tests.reference.arrivals import Arrived
from tests.reference.compare import differences as restated_differences
from tests.reference.restatements import NUMBER, SAYS, Run, restatements
from tests.support.sandbox_worlds import (
    CONNECTIONS,
    KINDS,
    PlainLoader,
    empty_warehouse,
    environment,
    replace_plainly,
    servers,
)
from tests.support.scheduled_run import scheduled
from tests.support.senders import Senders
from tests.support.tables import AS_LAST_JUDGED, differences

pytestmark = pytest.mark.long

SEED, ORDERS = 20261130, 150
LATER = "1700000100.0"
"""The load that the scheduled run finds: there from the beginning, and complete when it begins."""
_LATER_ROWS = {
    "raw_pod": ("proofs", "delivered_lines", "evidence"),
    "raw_dispatch": ("actions",),
    "raw_crm": ("exception_events",),
}
_OF_RESTATEMENTS = (
    *(f"{name}_{when}" for name in SAYS for when in ("before", "after")),
    "entity_count", "entities", "published_before_at", "restated_at",
)  # fmt: skip
TO_GO = """
    SELECT shipment_no, order_no FROM marts.fct_shipments
    WHERE departed_at IS NULL AND cancelled_at IS NULL AND pod_captured_at IS NULL AND order_no IS NOT NULL
        AND source_system = 'sandbox_dispatch' AND order_no IN (SELECT order_id FROM raw_erp.orders) ORDER BY shipment_no
"""
DONE = """
    SELECT shipment_no, order_no FROM marts.fct_shipments
    WHERE delivered_at < TIMESTAMPTZ '2026-11-11' AND source_system = 'sandbox_dispatch' AND pod_captured_at IS NOT NULL
        AND order_no IN (SELECT order_id FROM raw_erp.orders)
    ORDER BY shipment_no
"""


@dataclass
class Played:
    """One world after a run with batches between its parts and the run after that; beside it the same rows built at once."""

    platform: Platform
    whole: Platform
    runs: list[Run]
    verdicts: dict[str, GateResult]
    batches: dict[str, Batch] = field(default_factory=dict)
    proofs: dict[str, str] = field(default_factory=dict)
    """Shipment → the step after which its proof came."""
    taken_back: list[str] = field(default_factory=list)
    """Shipments whose proof was voided or replaced."""


def first_build(home: Path) -> Platform:
    """A world that was read and built once, with a load that is not complete yet."""
    platform = Platform(Settings(home=home, connections=CONNECTIONS))
    settings, engine = platform.settings, platform.engine
    empty_warehouse(settings)
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        for kind in KINDS:
            for connection in platform.of_kind(kind):
                ingest(settings, engine, connection, "run_0")
        for dataset, tables in _LATER_ROWS.items():
            warehouse.execute(
                f"INSERT INTO {dataset}._dlt_loads BY NAME SELECT '{LATER}' AS load_id, 1 AS status, now() AS inserted_at"
            )
            for table in tables:
                of = "pod_id" if dataset == "raw_pod" else "source_id"
                warehouse.execute(
                    f"UPDATE {dataset}.{table} SET _dlt_load_id = '{LATER}', ingested_at = now() WHERE hash({of}) % 5 = 0"
                )
    project_gate(settings, engine)
    project_ledger(settings, engine)
    assert rebuild(settings, run_variables(platform)) == []
    return platform


def published(platform: Platform) -> Run:
    with open_warehouse(platform.settings, "test") as warehouse:
        facts, values = (warehouse.execute(f"FROM marts.{name}").pl() for name in ("kpi_facts", "kpi_values"))
        (as_of,) = warehouse.execute("SELECT as_of FROM changes.builds").fetchone() or (None,)
    return Run(as_of, facts, values, Arrived())


class Hour:
    """What partners send while the run goes on, and the worker that takes it in."""

    def __init__(self, platform: Platform, played: Played) -> None:
        self._platform, self._played, self._rests = platform, played, Rests()
        self._kept = KeptWarehouse(platform.settings)
        self._senders = Senders(platform)
        self._unassigned: tuple[str, Callable[[], None]] | None = None
        self._project = EventProject(platform)
        self._project.prepare()
        with open_warehouse(platform.settings, "test") as warehouse:
            self._to_go = warehouse.execute(TO_GO).fetchall()
            self._done = warehouse.execute(DONE).fetchall()

    def begin(self) -> None:
        """Two deliveries before the run, in the worker's first batch."""
        for _ in range(2):
            self._deliver("before")
        self._batch("before", is_first=True)

    def between(self, step: str) -> None:
        """A delivery, a new order, something that was late, and a proof taken back; then a batch of all that.

        The proof of one new order comes a batch before anybody assigned its shipment.
        """
        if step.endswith("part 4"):
            return
        shipment, order, pod_id = self._deliver(step)
        late, late_order = self._done.pop()
        self._senders.event("waybill.stop.arrived.v1", NOW - timedelta(days=3, hours=2), consignment_id=late)
        self._senders.case(late, NOW - timedelta(days=3, hours=1))
        corrected, corrected_order = self._done.pop()
        self._senders.proof(corrected, corrected_order, at=NOW - timedelta(days=3))
        if len(self._played.batches) % 2:
            self._senders.proof(shipment, order, supersedes_id=pod_id)
            self._played.taken_back.append(shipment)
        if self._unassigned is not None:
            self._assign(step, *self._unassigned)
            self._unassigned = None
        with open_warehouse(self._platform.settings, "test") as warehouse:
            new, new_order, assign = self._senders.order_like(warehouse, late_order)
        self._senders.delivery(new, new_order)
        if len(self._played.batches) == 2:
            self._unassigned = new, assign
        else:
            self._assign(step, new, assign)
        self._batch(step)

    def _assign(self, step: str, shipment: str, assign: Callable[[], None]) -> None:
        assign()
        self._played.proofs[shipment] = step

    def _deliver(self, step: str) -> tuple[str, str, str]:
        shipment, order = self._to_go.pop()
        self._played.proofs[shipment] = step
        return shipment, order, self._senders.delivery(shipment, order)

    def _batch(self, step: str, *, is_first: bool = False) -> None:
        sent, self._senders.sent = self._senders.sent, 0
        batch = run_batch(self._platform, self._project, self._rests, self._kept, is_first=is_first)
        self._kept.rest()
        assert (batch.settled, batch.postponed) == (sent, {}), step
        self._played.batches[step] = batch


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    home = tmp_path_factory.mktemp("hour")
    world = store.world_file(home)
    world.parent.mkdir(parents=True)
    lay_out(make(SEED, ORDERS), world, SEED, ORDERS)
    store.prepare(world)
    with (
        pytest.MonkeyPatch.context() as patch,
        servers(world) as urls,
        environment(urls, world.parent / "drop"),
    ):
        patch.setattr(ingestion.run, "Loader", PlainLoader)
        patch.setattr(ingestion.ledger, "replace_tables", replace_plainly)
        patch.setattr(quality.gate, "write_page", lambda *_: None)
        yield play(home, tmp_path_factory.mktemp("whole"))


def play(home: Path, beside: Path) -> Played:
    platform = first_build(home)
    whole = Platform(platform.settings.model_copy(update={"home": beside}))
    whole.__dict__["engine"] = platform.engine
    played = Played(platform, whole, [published(platform)], {})
    hour = Hour(platform, played)
    hour.begin()
    with open_warehouse(platform.settings, "test") as warehouse:
        for dataset in _LATER_ROWS:
            warehouse.execute(f"UPDATE {dataset}._dlt_loads SET status = 0 WHERE load_id = '{LATER}'")
    played.verdicts = scheduled(platform, "run_1", hour.between)
    played.runs.append(published(platform))
    scheduled(platform, "run_2")
    played.runs.append(published(platform))
    shutil.copy(platform.settings.warehouse, whole.settings.warehouse)
    as_of = played.runs[-1].as_of.isoformat()
    assert rebuild(whole.settings, run_variables(platform) | {"as_of": as_of, "builds_on": None}) == []
    return played


def test_there_was_a_batch_between_each_two_parts(played: Played) -> None:
    assert len(played.batches) >= 9
    for step, batch in played.batches.items():
        assert batch.push is not None and batch.push.failed == batch.push.held == 0, step
    assert sum(batch.push.posted for batch in played.batches.values() if batch.push) >= 9


def test_a_proof_that_came_between_two_parts_is_known_to_the_parts_after_it(played: Played) -> None:
    """Else its shipment would be judged without it, and what was posted would be told as blocked."""
    run = {each.shipment_no: each for each in played.verdicts[INVOICE.operation].decisions}
    came = [name for name, step in played.proofs.items() if step == "before" or "before_gate" in step]
    of_batches = {
        each.shipment_no: each.codes
        for batch in played.batches.values()
        for each in batch.gates[INVOICE.operation].decisions
        if each.verdict != "released"
    }
    # The world has faults of its own, which the batch told too.
    assert len(set(came) - of_batches.keys()) >= 4
    assert {name: run[name].codes for name in came if run[name].verdict != "released"} == {
        name: of_batches[name] for name in came if name in of_batches
    }


def test_every_table_is_that_of_one_build_of_all_rows(played: Played) -> None:
    found = differences(played.platform.settings.warehouse, played.whole.settings.warehouse, AS_LAST_JUDGED)
    found.pop("marts.kpi_restatements", None)
    assert not found, "\n".join(
        f"{name}: {len(rows)}\n  " + "\n  ".join(rows[:2]) for name, rows in found.items()
    )


def test_each_number_that_changed_says_what_it_was(played: Played) -> None:
    with open_warehouse(played.platform.settings, "test") as warehouse:
        theirs = warehouse.execute("FROM marts.kpi_restatements").pl()
    found = restated_differences(restatements(played.runs), theirs, (*NUMBER, "version"), _OF_RESTATEMENTS)
    assert not found, found[:20]
    last = theirs.filter(pl.col("restated_at") == played.runs[-1].as_of)
    # All that is new to the second run came in between two parts of the first.
    assert set(last["cause"]) <= {"late event", "correction"}
    assert len(last)


def test_both_are_judged_alike(played: Played) -> None:
    for flow in FLOWS:
        one, other = (
            {
                each.business_id: (each.revision, each.verdict, each.codes, each.content_hash)
                for each in gate(of.settings, of.engine, of.connections, "test", flow).decisions
            }
            for of in (played.platform, played.whole)
        )
        assert one == other and len(one) > 10


def test_every_released_invoice_is_posted_once_and_no_other(played: Played) -> None:
    engine = played.platform.engine
    with reading(engine) as db:
        rows = db.execute(select(outbox).where(outbox.c.operation == INVOICE.operation)).all()
    with open_warehouse(played.platform.settings, "test") as warehouse:
        released = warehouse.execute(f"SELECT business_id FROM outbound.{INVOICE.outbound}").fetchall()
    assert {each.state for each in rows} == {"ACKED"}
    assert {each for (each,) in released} <= {each.business_id for each in rows}
    blocked = {
        each.shipment_no
        for batch in played.batches.values()
        for each in batch.gates[INVOICE.operation].decisions
        if each.verdict == "blocked"
    }
    # Faults of the world's own keep some back; nobody else is left out.
    assert played.proofs.keys() - blocked <= {each.shipment_no for each in rows}
    assert len({each.shipment_no for each in rows}) == len(rows)
    held = in_erp()
    assert sorted(held[each.idempotency_key] for each in rows) == [1] * len(rows)
    assert sum(held.values()) == len(rows)


def test_nothing_is_to_be_credited_that_nobody_took_back(played: Played) -> None:
    assert {each.shipment_no for each in credit_notes.waiting(played.platform.engine)} <= {*played.taken_back}


def in_erp() -> dict[str, int]:
    """How many submitted invoices the ERP has under each of our keys."""
    answer = httpx.get(
        f"{os.environ['SANDBOX_ERP_URL']}/api/resource/Sales Invoice",
        params={
            "filters": '[["custom_waybill_key","is","set"],["docstatus","=",1]]',
            "fields": '["custom_waybill_key"]',
            "limit_page_length": "0",
        },
        headers={
            "Authorization": f"token {DEFAULTS['SANDBOX_ERP_API_KEY']}:{DEFAULTS['SANDBOX_ERP_API_SECRET']}"
        },
    )
    keys: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
    return {
        key: sum(each["custom_waybill_key"] == key for each in keys)
        for key in {each["custom_waybill_key"] for each in keys}
    }
