"""One sandbox, five runs: two sources fail, both recover, days are read again, the warehouse is deleted."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from core.connections import load_connections
from core.settings import ROOT, Settings
from core.warehouse import open_serving
from ingestion.run import ingest
from orchestration.run import RunOutcome, run_once
from state import decisions, ingest_counts, observations, outbox
from state.engine import open_state
from tests.support.sandbox import Running, running_sandbox

pytestmark = pytest.mark.long

# What moves with the clock and not with the data.
_BY_THE_CLOCK = {
    "fct_shipments": {"as_of", "is_due", "is_in_full", "is_otif"},
    "fct_stops": set(),
    "fct_invoices": set(),
    "fct_vehicle_days": set(),
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("job"), connections=ROOT / "connections" / "sandbox")


@pytest.fixture(scope="module")
def running(settings: Settings) -> Iterator[Running]:
    with running_sandbox(settings.root, orders=120) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.env.items():
            patch.setenv(name, value)
        yield running


def plant(running: Running, system: str, **fault: Any) -> None:
    httpx.post(f"{running.url(system)}/_sandbox/faults", json=fault).raise_for_status()


def heal(running: Running, system: str) -> None:
    httpx.delete(f"{running.url(system)}/_sandbox/faults").raise_for_status()


@pytest.fixture(scope="module")
def broken(settings: Settings, running: Running) -> RunOutcome:
    plant(running, "pod", kind="status", status=401, times=1000, path="/api")
    plant(running, "telematics", kind="html", times=1000, path="/fleet")
    outcome = run_once(settings)
    heal(running, "pod")
    heal(running, "telematics")
    return outcome


@pytest.fixture(scope="module")
def loaded_while_broken(settings: Settings, broken: RunOutcome) -> dict[str, int]:
    counts = ingest_counts.of_run(open_state(settings), broken.run_id)
    return {f"{each.connection}.{each.resource}": each.loaded for each in counts}


@pytest.fixture(scope="module")
def decided_while_broken(settings: Settings, broken: RunOutcome) -> list[decisions.Decision]:
    assert broken
    return list(decisions.latest(open_state(settings)).values())


@pytest.fixture(scope="module")
def healed(settings: Settings, decided_while_broken: list[decisions.Decision]) -> RunOutcome:
    assert decided_while_broken
    return run_once(settings)


def tables(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    with open_serving(settings) as marts:
        return {
            name: marts.execute(
                f"SELECT * EXCLUDE ({', '.join(left_out)}) FROM marts.{name} ORDER BY ALL"
                if left_out
                else f"SELECT * FROM marts.{name} ORDER BY ALL"
            ).fetchall()
            for name, left_out in _BY_THE_CLOCK.items()
        }


def test_a_failing_source_is_named_with_a_remedy(broken: RunOutcome) -> None:
    told = "\n".join(broken.problems)
    assert "sandbox_pod" in told
    assert "credentials" in told
    assert "sandbox_telematics" in told


def test_the_other_sources_go_on(loaded_while_broken: dict[str, int]) -> None:
    assert loaded_while_broken["sandbox_erp.orders"] > 0
    assert loaded_while_broken["sandbox_dispatch.consignments"] > 0
    assert loaded_while_broken["sandbox_depot_pod.proofs"] > 0
    assert loaded_while_broken.get("sandbox_pod.proofs", 0) == 0


def test_the_gate_sees_the_stale_source(decided_while_broken: list[decisions.Decision]) -> None:
    stale = [each for each in decided_while_broken if "SOURCE_STALE" in each.codes]
    assert stale
    assert all(each.verdict == "blocked" for each in stale)


def test_when_they_answer_again_nothing_is_missing(
    settings: Settings, healed: RunOutcome, running: Running
) -> None:
    assert healed.problems == []
    assert all(each.ok for each in observations.latest(open_state(settings)))
    assert healed.push["posted"] > 0
    with open_serving(settings) as marts:
        proofs = marts.execute(
            "SELECT count(*) FROM marts.fct_shipments WHERE pod_received_at IS NOT NULL"
        ).fetchone()
    assert proofs is not None
    assert proofs[0] > 100


@pytest.fixture(scope="module")
def settled(settings: Settings, healed: RunOutcome) -> dict[str, list[tuple[Any, ...]]]:
    """The marts once the ERP has listed what was posted."""
    assert healed
    assert run_once(settings).problems == []
    return tables(settings)


def test_reading_any_seven_days_again_changes_no_row_of_the_marts(
    settings: Settings, running: Running, settled: dict[str, list[tuple[Any, ...]]]
) -> None:
    until = datetime.fromisoformat(running.endpoints["now"]) - timedelta(days=1)
    engine = open_state(settings)
    read: dict[str, int] = {}
    for connection in load_connections(settings.connections_dir):
        counts = ingest(settings, engine, connection, "again", window=(until - timedelta(days=7), until))
        read[connection.connection] = sum(each.rows_in for each in counts)
        assert sum(each.loaded for each in counts) == 0
    # A workshop's extract may have nothing of these days.
    assert {name for name, rows in read.items() if rows} >= {
        "sandbox_erp", "sandbox_dispatch", "sandbox_pod", "sandbox_telematics", "sandbox_wms",
    }  # fmt: skip
    assert run_once(settings).push["posted"] == 0
    assert tables(settings) == settled


def test_a_deleted_warehouse_is_replayed_to_the_same_marts(
    settings: Settings, settled: dict[str, list[tuple[Any, ...]]]
) -> None:
    posted = {row.idempotency_key for row in outbox.rows(open_state(settings), "ACKED")}
    for path in settings.root.glob("warehouse.duckdb*"):
        path.unlink()
    again = run_once(settings)
    assert again.problems == []
    assert again.push["posted"] == 0
    assert {row.idempotency_key for row in outbox.rows(open_state(settings), "ACKED")} == posted
    assert tables(settings) == settled
