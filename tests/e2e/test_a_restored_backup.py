"""A home is lost after its backup; the restored one catches up with the sources and the ERP, and posts nothing twice."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from activation.reconcile import reconcile
from core.connections import load_connections
from core.flows import KEPT_UP
from core.settings import ROOT, Settings
from core.warehouse import open_serving
from orchestration.run import RunOutcome, run_once
from state import attempts, heads, ledger, outbox
from state.backup import backup
from state.engine import open_state
from state.restore import restore
from tests.support.sandbox import Running, running_sandbox

pytestmark = pytest.mark.long

CONNECTIONS = ROOT / "connections" / "sandbox"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("sandbox")
    with running_sandbox(home, orders=120) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.env.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture(scope="module")
def lost(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Run while the drivers' app does not answer, backed up, run again: most is posted after the backup."""
    settings = Settings(home=tmp_path_factory.mktemp("lost"), connections=CONNECTIONS)
    faults = f"{running.url('pod')}/_sandbox/faults"
    httpx.post(
        faults, json={"kind": "status", "status": 401, "times": 1000, "path": "/api"}
    ).raise_for_status()
    run_once(settings)
    backup(settings, settings.root.parent / "backup.tar")
    httpx.delete(faults).raise_for_status()
    assert run_once(settings).push["posted"] > 0
    return settings


@pytest.fixture(scope="module")
def before(running: Running, lost: Settings) -> int:
    assert lost
    return written(running)


@pytest.fixture(scope="module")
def fresh(lost: Settings, before: int, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    assert before
    settings = Settings(home=tmp_path_factory.mktemp("fresh"), connections=CONNECTIONS)
    restore(settings, lost.root.parent / "backup.tar")
    return settings


@pytest.fixture(scope="module")
def outcome(fresh: Settings) -> RunOutcome:
    return run_once(fresh)


def written(running: Running) -> int:
    return int(httpx.get(f"{running.url('erp')}/_sandbox/requests").json()["mutating"])


def shipments(settings: Settings) -> list[tuple[object, ...]]:
    with open_serving(settings) as marts:
        return marts.execute(
            "SELECT shipment_no, pod_received_at, delivered_at FROM marts.fct_shipments ORDER BY ALL"
        ).fetchall()


def test_nothing_is_posted_twice(running: Running, outcome: RunOutcome, before: int, fresh: Settings) -> None:
    assert outcome.problems == []
    assert written(running) == before
    assert Counter(row.state for row in outbox.rows(open_state(fresh))).keys() <= {"ACKED"}


def test_it_knows_again_what_was_posted_meanwhile(
    outcome: RunOutcome, lost: Settings, fresh: Settings
) -> None:
    assert outcome
    assert attempts.all_receipts(open_state(fresh)) == attempts.all_receipts(open_state(lost))


def test_the_marts_are_built_anew(outcome: RunOutcome, lost: Settings, fresh: Settings) -> None:
    assert outcome
    assert shipments(fresh) == shipments(lost)


def test_the_erp_holds_what_was_acknowledged(outcome: RunOutcome, fresh: Settings) -> None:
    assert outcome
    (done,) = reconcile(open_state(fresh), load_connections(CONNECTIONS))
    assert done.differences == []
    rows = [row for row in outbox.rows(open_state(fresh)) if row.operation not in KEPT_UP]
    assert done.reconciled == len(rows) > 0


def test_its_ledger_fits_its_signed_heads(outcome: RunOutcome, fresh: Settings, tmp_path: Path) -> None:
    assert outcome
    engine = open_state(fresh)
    assert ledger.verify(engine).problem is None
    assert heads.problems(engine, heads.read(fresh.ledger_heads)) == []
