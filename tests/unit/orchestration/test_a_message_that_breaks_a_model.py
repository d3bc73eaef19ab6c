"""A message with whose rows a model cannot be built is given up alone, and its rows are taken back; the others go on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from sqlalchemy import Engine, select

from core.connections import Connection
from core.errors import WaybillError
from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion.events.fates import Loaded
from ingestion.events.rests import Rests
from ingestion.run import ensure_warehouse
from orchestration import event_batch, event_builds, event_statements
from orchestration.dbt_runner import NodeResult
from orchestration.event_batch import Batch, run_batch
from orchestration.event_builds import EventProject
from orchestration.event_sifting import Suspect, sift
from orchestration.event_statements import ModelFailed, Statements
from orchestration.event_warehouse import KeptWarehouse
from state import dead_letters, inbox
from state.engine import open_state, reading
from state.inbox import Incoming, Message, Settled
from state.message_outcomes import outcome_of
from state.tables import ingest_counts

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
AT = "2026-11-13T16:00:00Z"
PARTNER = Connection(
    connection="partner", kind="pod", adapter="onfleet", owner="delivery-operations", as_of=NOW
)
DISPATCHER = Connection(
    connection="dispatcher", kind="dispatch", adapter="onfleet", owner="delivery-operations", as_of=NOW
)
VARIABLES: dict[str, Any] = {
    "as_of": NOW.isoformat(),
    "builds_on": "2026-11-13T16:00:00+00:00",
    "definitions": "one",
}
TABLES = """
    CREATE SCHEMA changes; CREATE SCHEMA changes_events; CREATE SCHEMA canonical;
    CREATE TABLE changes.built_loads (dataset VARCHAR, load_id VARCHAR);
    CREATE TABLE changes_events.built_loads (dataset VARCHAR, load_id VARCHAR);
    CREATE TABLE changes_events.held_loads (dataset VARCHAR, load_id VARCHAR);
    CREATE TABLE changes_events.new_loads (dataset VARCHAR, load_id VARCHAR);
    CREATE TABLE changes_events.batch (as_of TIMESTAMPTZ);
    CREATE TABLE changes.touched (node UBIGINT);
    CREATE TABLE changes_events.touched (node UBIGINT);
    CREATE TABLE canonical.proofs (pod_id VARCHAR, hours INTEGER);
    CHECKPOINT
"""
NEW_LOADS = """
    SELECT 'raw_pod' AS dataset, load_id FROM raw_pod._dlt_loads
    WHERE status = 0 AND load_id NOT IN (SELECT load_id FROM changes_events.built_loads)
      AND load_id NOT IN (SELECT load_id FROM changes_events.held_loads)
"""
PROOFS = """
    SELECT pod_id, CAST(CASE WHEN signer = 'POISON' THEN signer ELSE '1' END AS INTEGER) AS hours FROM raw_pod.proofs
    WHERE _dlt_load_id IN (SELECT load_id FROM changes_events.new_loads)
"""


def node(schema: str, name: str, compiled: str, status: str = "success") -> NodeResult:
    return NodeResult(
        f"model.waybill.{name}", status, "", 0.0, 0, compiled, schema, name, "table", Path(name)
    )


NODES = [node("changes_events", "new_loads", NEW_LOADS), node("canonical", "proofs", PROOFS)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = open_state(settings)
    ensure_warehouse(settings, engine)
    with open_warehouse(settings, "test") as warehouse:
        warehouse.execute(TABLES)
    yield engine
    engine.dispose()


@pytest.fixture
def platform(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An installation whose batches end with what is built."""
    monkeypatch.setattr(event_builds, "run_variables", lambda _: dict(VARIABLES))
    monkeypatch.setattr(event_batch, "_judged", lambda *_: [])
    monkeypatch.setattr(event_batch, "_push", lambda *_: None)
    return SimpleNamespace(
        settings=settings, engine=engine, connections=[PARTNER, DISPATCHER], destinations=[]
    )


def project_of(platform: Any, *, is_warm: bool = True) -> EventProject:
    project = EventProject(platform)
    project._statements = Statements(NODES) if is_warm else None
    project.__dict__["_by_dataset"] = {"raw_pod": frozenset({"proofs"})}
    return project


def assign(platform: Any, project: EventProject, *pods: str) -> Batch:
    """A batch in which the shipments of these proofs are told."""
    for each in pods:
        trip = {
            "trip_id": f"T-{each}", "status": "confirmed", "changed_at": AT,
            "consignments": [{"consignment_id": f"C-{each}", "order_id": f"SO-{each}"}],
        }  # fmt: skip
        body = json.dumps(trip).encode()
        message = Incoming(
            "dispatcher", each, "api", "route_assignment", "application/json", body, f"t_{each}_trip", NOW
        )
        inbox.accept(platform.engine, [message])
    return batch_of(platform, project)


@pytest.fixture
def waiting(platform: Any, engine: Engine) -> EventProject:
    """Twenty proofs that came before their shipments, one of which a model cannot be built with."""
    project = project_of(platform)
    assign(platform, project, "another")
    twenty(engine)
    batch_of(platform, project)
    assert len(dead_letters.parked(engine, "partner", "proofs")) == 20
    return project


def send(engine: Engine, *ids: str, signer: str = "dock") -> None:
    for each in ids:
        proof = {
            "pod_id": each, "consignment_id": f"C-{each}", "outcome": "succeeded", "captured_at": AT, "changed_at": AT,
            "signer": signer,
        }  # fmt: skip
        body = json.dumps(proof).encode()
        message = Incoming(
            "partner", each, "api", "proof_of_delivery", "application/json", body, f"t_{each}", NOW
        )
        inbox.accept(engine, [message])


def batch_of(platform: Any, project: EventProject, *, is_first: bool = False) -> Batch:
    kept = KeptWarehouse(platform.settings)
    try:
        return run_batch(platform, project, Rests(), kept, is_first=is_first)
    finally:
        kept.rest()


def pods(settings: Settings, table: str) -> list[str]:
    with open_warehouse(settings, "test") as warehouse:
        return [each for (each,) in warehouse.execute(f"SELECT pod_id FROM {table} ORDER BY 1").fetchall()]


GOOD = [f"P{number:02}" for number in range(19)]


def twenty(engine: Engine) -> None:
    send(engine, *GOOD[:12])
    send(engine, "POISON", signer="POISON")
    send(engine, *GOOD[12:])


def is_alone(settings: Settings, engine: Engine) -> None:
    """The one is a dead letter and is nowhere else; the others are built, settled and counted."""
    assert pods(settings, "canonical.proofs") == pods(settings, "raw_pod.proofs") == GOOD
    assert not inbox.waiting(engine)
    (letter,) = dead_letters.with_status(engine, "open")
    assert (letter.reason, letter.source_id) == ("UNFORESEEN", "POISON") and b"POISON" in letter.raw
    assert "a model cannot be built" in letter.detail and "Remedy:" in letter.detail
    with reading(engine) as db:
        counted = db.execute(select(ingest_counts).where(ingest_counts.c.resource == "proofs")).all()
    assert sum(each.rows_in for each in counted) == sum(each.loaded for each in counted) == 19
    # A warehouse that is made anew has it not either.
    settings.warehouse.unlink()
    ensure_warehouse(settings, engine)
    assert pods(settings, "raw_pod.proofs") == GOOD


def test_it_is_the_only_dead_letter_of_twenty(platform: Any, settings: Settings, engine: Engine) -> None:
    twenty(engine)
    batch = batch_of(platform, project_of(platform))
    assert batch.settled == 20
    is_alone(settings, engine)


def test_also_in_the_first_batch_of_a_worker(
    platform: Any, settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before it was killed after it had loaded them; dbt builds what the statements are then made of."""
    twenty(engine)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(event_batch, "_built", lambda *_: killed())
        batch_of(platform, project_of(platform))
    assert inbox.waiting(engine) == {"partner": 20}
    asked: list[bool] = []
    monkeypatch.setattr(event_builds, "build_events", lambda *_: dbt(settings, asked))
    assert batch_of(platform, project_of(platform, is_warm=False), is_first=True).settled == 20
    assert asked == [False, True]
    with open_warehouse(settings, "test") as warehouse:
        assert not warehouse.execute("FROM changes_events.held_loads").fetchall()
    assert pods(settings, "raw_pod.proofs") == GOOD and not inbox.waiting(engine)
    assert [each.source_id for each in dead_letters.with_status(engine, "open")] == ["POISON"]
    assert {each.duplicate for each in settled(engine) if not each.dead_lettered} == {1}, (
        "its row is the same as before"
    )


def is_alone_of_what_waited(settings: Settings, engine: Engine) -> None:
    assert pods(settings, "canonical.proofs") == pods(settings, "raw_pod.proofs") == GOOD
    assert dead_letters.parked(engine, "partner", "proofs") == []
    (letter,) = dead_letters.with_status(engine, "open")
    assert (letter.reason, letter.source_id) == ("UNFORESEEN", "POISON") and b"POISON" in letter.raw
    assert "ModelFailed" in letter.detail and "waybill dead-letter replay" in letter.detail
    assert counted_of_what_waited(engine) == (19, 19)
    settings.warehouse.unlink()
    ensure_warehouse(settings, engine)
    assert pods(settings, "raw_pod.proofs") == GOOD


def counted_of_what_waited(engine: Engine) -> tuple[int, int]:
    """Rows in, and those that were loaded or had been."""
    columns = ingest_counts.c
    with reading(engine) as db:
        where = columns.run_id.contains("_waited_") & (columns.resource == "proofs")
        found = db.execute(select(ingest_counts).where(where)).all()
    return sum(each.rows_in for each in found), sum(each.loaded for each in found)


def test_a_row_that_had_waited_is_the_only_dead_letter_of_twenty(
    platform: Any, settings: Settings, engine: Engine, waiting: EventProject
) -> None:
    assert assign(platform, waiting, *GOOD, "POISON").settled == 20
    is_alone_of_what_waited(settings, engine)


def test_a_row_that_had_waited_is_found_beside_a_message_that_is_to_blame_for_nothing(
    platform: Any, settings: Settings, engine: Engine, waiting: EventProject
) -> None:
    """The message comes with the shipments: it is a suspect as well, and is built."""
    assign_of = [*GOOD, "POISON"]
    send(engine, "P99")
    assign(platform, waiting, *assign_of, "P99")
    assert pods(settings, "canonical.proofs") == [*GOOD, "P99"]
    assert [each.source_id for each in dead_letters.with_status(engine, "open")] == ["POISON"]


def test_a_model_that_breaks_without_what_had_waited_leaves_it_waiting(
    platform: Any, settings: Settings, engine: Engine, waiting: EventProject
) -> None:
    good = waiting._statements
    waiting._statements = Statements(
        [NODES[0], node("canonical", "proofs", "SELECT CAST('x' AS INTEGER) AS hours")]
    )
    with pytest.raises(ModelFailed):
        assign(platform, waiting, *GOOD, "POISON")
    for _ in range(2):
        with pytest.raises(ModelFailed):
            batch_of(platform, waiting, is_first=True)
    assert len(dead_letters.parked(engine, "partner", "proofs")) == 20
    assert not dead_letters.with_status(engine, "open")
    assert counted_of_what_waited(engine) == (20, 20), "and not again at each try"
    waiting._statements = good
    assert batch_of(platform, waiting, is_first=True).settled == 20
    assert pods(settings, "canonical.proofs") == GOOD
    assert dead_letters.parked(engine, "partner", "proofs") == []


def settled(engine: Engine) -> Sequence[Any]:
    with reading(engine) as db:
        return db.execute(select(inbox.inbox.c.duplicate, inbox.inbox.c.dead_lettered)).all()


def killed() -> Any:
    raise KeyboardInterrupt


def dbt(settings: Settings, asked: list[bool]) -> list[NodeResult]:
    """The two models as dbt builds them; whether it went well is noted."""
    with open_warehouse(settings, "dbt") as warehouse:
        warehouse.execute(
            f"DELETE FROM changes_events.new_loads; INSERT INTO changes_events.new_loads {NEW_LOADS}"
        )
        try:
            warehouse.execute(f"DELETE FROM canonical.proofs; INSERT INTO canonical.proofs {PROOFS}")
        except duckdb.ConversionException:
            asked.append(False)
            return [NODES[0], node("canonical", "proofs", PROOFS, "error")]
    asked.append(True)
    return NODES


@pytest.mark.parametrize(
    "error", [duckdb.IOException("No space left on device"), duckdb.TransactionException("conflict")]
)
def test_what_is_the_warehouse_s_own_gives_up_none(
    platform: Any, settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    send(engine, "P1", "P2")
    true = event_statements._run

    def failing(warehouse: Any, model: NodeResult, sql: str) -> NodeResult:
        return true(Broken(error), model, sql) if model.name == "proofs" else true(warehouse, model, sql)

    with monkeypatch.context() as patch, pytest.raises((WaybillError, duckdb.IOException)):
        patch.setattr(event_statements, "_run", failing)
        batch_of(platform, project_of(platform))
    assert inbox.waiting(engine) == {"partner": 2} and not dead_letters.with_status(engine, "open")
    # Begun anew, as the worker does after every failure: what is loaded is built, and settled then.
    monkeypatch.setattr(event_builds, "build_events", lambda *_: dbt(settings, []))
    assert batch_of(platform, project_of(platform, is_warm=False), is_first=True).settled == 2
    assert pods(settings, "canonical.proofs") == ["P1", "P2"] and not inbox.waiting(engine)


class Broken:
    """A warehouse that fails at every statement."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def execute(self, _: str) -> Any:
        raise self._error


def test_a_model_that_breaks_once_and_not_again_gives_up_none(
    platform: Any, settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(engine, "P1", "P2")
    true, failures = event_statements._run, [duckdb.ConversionException("once")]

    def failing(warehouse: Any, model: NodeResult, sql: str) -> NodeResult:
        return true(Broken(failures.pop()) if failures else warehouse, model, sql)

    monkeypatch.setattr(event_statements, "_run", failing)
    assert batch_of(platform, project_of(platform)).settled == 2
    assert pods(settings, "canonical.proofs") == ["P1", "P2"]
    assert not dead_letters.with_status(engine, "open")


def test_a_model_that_breaks_without_any_message_gives_up_none_and_is_counted_once(
    platform: Any, settings: Settings, engine: Engine
) -> None:
    send(engine, "P1", "P2")
    project = project_of(platform)
    project._statements = Statements(
        [NODES[0], node("canonical", "proofs", "SELECT CAST('x' AS INTEGER) AS hours")]
    )
    for _ in range(3):
        with pytest.raises(ModelFailed):
            batch_of(platform, project, is_first=True)
    assert inbox.waiting(engine) == {"partner": 2} and not dead_letters.with_status(engine, "open")
    assert pods(settings, "raw_pod.proofs") == ["P1", "P2"]
    with reading(engine) as db:
        counted = db.execute(select(ingest_counts).where(ingest_counts.c.resource == "proofs")).all()
    assert [(each.rows_in, each.loaded) for each in counted] == [(2, 2)], "and not again at each try"


def test_its_sender_is_told(platform: Any, engine: Engine) -> None:
    send(engine, "POISON", signer="POISON")
    batch_of(platform, project_of(platform))
    with reading(engine) as db:
        (name,) = db.scalars(select(inbox.inbox.c.message_id))
    outcome = outcome_of(engine, "partner", name)
    assert outcome is not None and outcome.status == "dead-lettered"
    assert [each.reason for each in outcome.refusals] == ["UNFORESEEN"]


def message(number: int) -> Loaded:
    told = Message(
        number, f"m{number}", "p", f"e{number}", "api", "k", "application/json", b"", f"t{number}", NOW
    )
    return Loaded(told, Settled(number, 1, 1, 0, 0, 0))


@pytest.mark.parametrize("bad", [(), (0,), (19,), (3, 4), (0, 7, 19), tuple(range(20))])
def test_every_guilty_one_is_found_and_no_other(bad: Sequence[int]) -> None:
    asked: list[set[str]] = []

    def trouble(some: Sequence[Suspect]) -> ModelFailed | None:
        asked.append({each.name for each in some})
        return ModelFailed("no", remedy="none") if asked[-1] & {f"m{number}" for number in bad} else None

    found = sift([message(number) for number in range(20)], trouble)
    assert [each.name for each, _ in found] == [f"m{number}" for number in bad]
    assert len(asked) <= 2 + 12 * max(len(bad), 1)
