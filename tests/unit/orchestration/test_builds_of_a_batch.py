"""What a batch goes on from, and which loads it is done with once its invoices are pushed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.errors import ConfigurationError, WaybillError
from core.settings import Settings
from core.warehouse import open_warehouse
from orchestration import event_builds as module
from orchestration.event_builds import Built, EventProject

AS_OF = datetime(2026, 11, 13, 17, tzinfo=UTC)
VARIABLES: dict[str, Any] = {
    "as_of": AS_OF.isoformat(),
    "builds_on": "2026-11-13T16:00:00+00:00",
    "definitions": "one",
}
TABLES = """
    CREATE SCHEMA changes; CREATE SCHEMA changes_events;
    CREATE TABLE changes.built_loads (dataset VARCHAR, load_id VARCHAR);
    CREATE TABLE changes_events.built_loads (dataset VARCHAR, load_id VARCHAR);
    CREATE TABLE changes_events.new_loads (dataset VARCHAR, load_id VARCHAR);
    CREATE TABLE changes_events.batch (as_of TIMESTAMPTZ);
    CREATE TABLE changes.touched (node UBIGINT);
    CREATE TABLE changes_events.touched (node UBIGINT);
    CHECKPOINT
"""


class Loads:
    """In place of dbt's statements: each batch finds one load that is new."""

    def __init__(self) -> None:
        self.batches = 0

    def run(self, warehouse: Any, _models: object) -> list[Any]:
        self.batches += 1
        warehouse.execute("DELETE FROM changes_events.new_loads")
        warehouse.execute("INSERT INTO changes_events.new_loads VALUES ('raw_pod', ?)", [f"{self.batches}"])
        return []


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    with open_warehouse(settings, "test") as warehouse:
        warehouse.execute(TABLES)
    return settings


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    variables = dict(VARIABLES)
    monkeypatch.setattr(module, "run_variables", lambda _: variables)
    return variables


def project_of(settings: Settings) -> EventProject:
    project = EventProject(SimpleNamespace(settings=settings))  # type: ignore[arg-type]
    project._statements = Loads()  # type: ignore[assignment]
    project.__dict__["_by_dataset"] = {"raw_pod": frozenset({"canonical_proofs_of_delivery"})}
    return project


def done(settings: Settings) -> list[str]:
    with open_warehouse(settings, "test") as warehouse:
        found = warehouse.execute("SELECT load_id FROM changes_events.built_loads ORDER BY ALL").fetchall()
    return [each for (each,) in found]


def test_a_batch_is_done_with_its_loads_once_they_are_pushed(
    settings: Settings, variables: dict[str, Any]
) -> None:
    project = project_of(settings)
    assert project.build({"raw_pod"}) == Built(AS_OF, [], [])
    # It died before its invoices were pushed, say: they are not done with.
    project.build({"raw_pod"})
    assert done(settings) == []
    project.is_done()
    project.build({"raw_pod"})
    assert done(settings) == ["2"]
    project.is_done()
    with open_warehouse(settings, "a complete build") as warehouse:
        warehouse.execute("INSERT INTO changes.built_loads VALUES ('raw_pod', '2')")
    project.build({"raw_pod"})
    assert done(settings) == ["3"], "a complete build has taken up the other"
    project.build({"raw_pod"})
    assert done(settings) == ["3"], "it is noted once"


def test_a_run_that_goes_on_after_the_batch_knows_what_that_touched(
    settings: Settings, variables: dict[str, Any]
) -> None:
    """Else it would build the shipment of a proof anew without the proof, which came after it had chosen."""
    with open_warehouse(settings, "a run that chose two things") as warehouse:
        warehouse.execute("INSERT INTO changes.touched VALUES (1), (2)")
        warehouse.execute("INSERT INTO changes_events.touched VALUES (2), (3)")
    project = project_of(settings)
    for _ in range(2):
        project.build({"raw_pod"})
        with open_warehouse(settings, "test") as warehouse:
            assert warehouse.execute("FROM changes.touched ORDER BY ALL").fetchall() == [(1,), (2,), (3,)]


def test_what_it_read_of_its_instant_is_that_of_the_batch(
    settings: Settings, variables: dict[str, Any]
) -> None:
    project = project_of(settings)
    project.build({"raw_pod"})
    variables["as_of"] = AS_OF.replace(hour=18).isoformat()
    project.build({"raw_pod"})
    with open_warehouse(settings, "test") as warehouse:
        assert warehouse.execute("FROM changes_events.batch").fetchall() == [(AS_OF.replace(hour=18),)]


def test_the_file_is_closed_without_a_checkpoint_and_opens_with_all_of_it(
    settings: Settings, variables: dict[str, Any]
) -> None:
    project_of(settings).build({"raw_pod"})
    log = settings.warehouse.with_name(f"{settings.warehouse.name}.wal")
    assert log.exists()
    with open_warehouse(settings, "test") as warehouse:
        assert warehouse.execute("SELECT load_id FROM changes_events.new_loads").fetchall() == [("1",)]
    assert not log.exists()


def test_other_models_than_those_that_were_compiled_end_the_batch(
    settings: Settings, variables: dict[str, Any]
) -> None:
    project = project_of(settings)
    variables["definitions"] = "another"
    with pytest.raises(WaybillError, match="others than those"):
        project.build({"raw_pod"})
    project_of(settings).build({"raw_pod"})


def test_without_a_complete_build_there_is_nothing_to_go_on_from(
    settings: Settings, variables: dict[str, Any]
) -> None:
    variables["builds_on"] = None
    with pytest.raises(ConfigurationError, match="no complete build"):
        project_of(settings)
