"""Days of the sources are read again from Dagster's UI, beside the schedule: no cursor moves, no row comes twice."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.backfill import execute_backfill_iteration
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from dagster_webserver.app import create_app_from_workspace_process_context
from starlette.testclient import TestClient

from core.connections import load_connections
from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion.run import ensure_raw_tables, ingest
from orchestration import backfill
from orchestration.definitions import build_definitions
from orchestration.run import prepare_instance
from state.engine import open_state

CONNECTION = """\
connection: acme_{number}
kind: erp
adapter: files
owner: order-systems
time_zone: Europe/Berlin
as_of: 2026-11-01T00:00:00+00:00
options:
  folder: {folder}
  tables:
    orders: {{files: "{number}.csv"}}
  resources:
    - resource: customers
      table: orders
      fields: {{customer_id: customer, name: customer}}
    - resource: orders
      table: orders
      fields:
        order_id: id
        customer_id: customer
        currency: {{constant: EUR}}
        status: {{constant: confirmed}}
        ordered_at: day
"""
DAYS = ["2026-10-10", "2026-10-11", "2026-10-12"]
LAUNCH = """
mutation Launch($parameters: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $parameters) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation with a branch whose extract is of each day, read up to the last of them."""
    extract, connections = tmp_path / "extract", tmp_path / "connections"
    extract.mkdir()
    connections.mkdir()
    for number, day in enumerate(DAYS):
        mapping, path = connections / f"acme_{number}.yaml", extract / f"{number}.csv"
        mapping.write_text(CONNECTION.format(folder=extract, number=number), encoding="utf-8")
        path.write_text(f"id,customer,day\nO{number},c{number},{day} 08:00:00\n", encoding="utf-8")
        written(mapping, "2026-10-01")
        written(path, day)
    settings = Settings(home=tmp_path / "home", connections=connections)
    settings.root.mkdir()
    monkeypatch.setenv("WAYBILL_HOME", str(settings.home))
    monkeypatch.setenv("WAYBILL_CONNECTIONS", str(connections))
    engine = open_state(settings)
    ensure_raw_tables(settings)
    for connection in load_connections(connections):
        ingest(settings, engine, connection, "run_1")
    engine.dispose()
    return settings


def written(path: Path, day: str) -> None:
    stamp = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC).timestamp()
    os.utime(path, (stamp, stamp))


def standing(settings: Settings) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The rows of the source, and where its cursors stand."""
    from ingestion.load import Loader

    with open_warehouse(settings, "test") as warehouse:
        rows = warehouse.execute(
            "SELECT order_id, source_version, row_hash FROM raw_erp.orders ORDER BY ALL"
        ).fetchall()
    cursors = [Loader(settings, f"acme_{number}", "erp").cursors() for number in range(len(DAYS))]
    return rows, [(name, cursor) for each in cursors for name, cursor in sorted(each.items())]


def one_day(settings: Settings, day: str) -> dict[str, Any]:
    job = build_definitions(settings).resolve_job_def("backfill_day")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, partition_key=day)
    (made,) = result.asset_materializations_for_node("backfill")
    return {name: entry.value for name, entry in made.metadata.items()}


def test_a_day_that_is_there_already_changes_nothing(settings: Settings) -> None:
    before = standing(settings)
    found = one_day(settings, DAYS[1])
    assert (found["rows in"], found["loaded"], found["duplicate"]) == (2, 0, 2)
    assert standing(settings) == before
    assert len(before[0]) == len(DAYS)
    assert len(before[1]) >= len(DAYS)


def test_a_day_on_which_nothing_changed_is_empty(settings: Settings) -> None:
    assert one_day(settings, "2026-10-09")["rows in"] == 0


def test_a_day_that_got_lost_comes_back_and_what_follows_is_built(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []
    monkeypatch.setattr(backfill, "rebuild", lambda platform: built.append(str(platform.settings.root)))
    before = standing(settings)
    with open_warehouse(settings, "test") as warehouse:
        warehouse.execute("DELETE FROM raw_erp.orders WHERE order_id <> 'O0'")
    assert one_day(settings, DAYS[2])["loaded"] == 1
    assert one_day(settings, DAYS[0])["loaded"] == 0
    assert [row[0] for row in standing(settings)[0]] == ["O0", "O2"]
    assert one_day(settings, DAYS[1])["loaded"] == 1
    assert standing(settings) == before
    assert built == [str(settings.root)] * 2


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", str(settings.dagster_home))
        home = prepare_instance(settings)
        # Runs are started here and now, which is what the daemon does in a process of its own.
        launcher = "run_launcher:\n  module: dagster._core.launcher.sync_in_memory_run_launcher\n  class: SyncInMemoryRunLauncher\n"
        with (home / "dagster.yaml").open("a", encoding="utf-8") as config:
            config.write(launcher)
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield instance


def test_several_days_are_launched_as_one_backfill(settings: Settings, instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.run_coordinator, QueuedRunCoordinator), "runs would not wait for each other"
    queue = instance.get_concurrency_config().run_queue_config
    assert queue
    assert queue.max_concurrent_runs == 1
    before = standing(settings)
    target = ModuleTarget("orchestration.definitions", None, working_directory=None, location_name="waybill")
    with WorkspaceProcessContext(instance, target) as workspace:
        client = TestClient(create_app_from_workspace_process_context(workspace))
        parameters = {
            "selector": {
                "partitionSetName": "backfill_day_partition_set",
                "repositorySelector": {
                    "repositoryName": "__repository__",
                    "repositoryLocationName": "waybill",
                },
            },
            "partitionNames": DAYS,
        }
        answer = client.post("/graphql", json={"query": LAUNCH, "variables": {"parameters": parameters}})
        launched = answer.json()["data"]["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        errors = list(execute_backfill_iteration(workspace, logging.getLogger("test")))
        assert [each for each in errors if each] == []
        runs = instance.get_runs()
        assert {run.tags["dagster/partition"] for run in runs} == set(DAYS)
        assert {run.status for run in runs} == {dg.DagsterRunStatus.QUEUED}
        # The daemon takes one run at a time.
        for done in range(1, len(DAYS) + 1):
            problems = list(QueuedRunCoordinatorDaemon(interval_seconds=1).run_iteration(workspace))
            assert [each for each in problems if each] == []
            finished = [run for run in instance.get_runs() if run.status == dg.DagsterRunStatus.SUCCESS]
            assert len(finished) == done
    assert instance.get_materialized_partitions(backfill.SOURCE_DAYS) == set(DAYS)
    assert standing(settings) == before
