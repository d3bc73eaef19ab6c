"""Orders made in Tryton, driven out and signed for in the sandbox's dispatch and POD, are invoiced in Tryton by one run and read back."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from core.clock import utc_now
from core.connections import load_connections
from core.settings import ROOT, Settings
from ingestion.run import ingest
from orchestration.run import run_once
from state import outbox
from state.engine import open_state
from tests.erp.conftest import EXAMPLES, Rows, posted_once
from tests.support.delivered import DeliveredWorld, Line
from tests.support.sandbox import running_sandbox
from tests.support.tryton import environment, on_sqlite
from tests.support.tryton_client import Clerk

SANDBOX = ROOT / "connections" / "sandbox"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with on_sqlite(tmp_path_factory.mktemp("job"), unique=True) as url:
        yield url


@pytest.fixture(scope="module")
def clerk(url: str) -> Clerk:
    return Clerk(url)


@pytest.fixture
def orders(clerk: Clerk) -> Rows:
    """Two that are delivered and one that is not."""
    lines = [("PALLET", "10", "10.50"), ("BOOK", "3", "8.40")]
    return [clerk.order(lines, po="PO-1"), clerk.order(lines[:1], customer=2), clerk.order(lines[:1])]


@pytest.fixture
def connections(tmp_path: Path) -> Path:
    """One company: Tryton for the orders, dispatch and POD of the sandbox."""
    folder = tmp_path / "connections"
    folder.mkdir()
    for each in (EXAMPLES / "erp.yaml", SANDBOX / "dispatch.yaml", SANDBOX / "pod.yaml"):
        shutil.copy(each, folder)
    return folder


def test_what_was_signed_for_is_invoiced_once_and_nothing_else(
    url: str, clerk: Clerk, orders: Rows, connections: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = DeliveredWorld(tmp_path, utc_now() + timedelta(hours=2))
    for order in orders[:2]:
        lines = [
            Line(str(line["id"]), str(line["product"]), str(line["quantity"]), line["unit."]["symbol"])
            for line in order["lines."]
        ]
        world.deliver(order["number"], lines)
    settings = Settings(home=tmp_path, connections=connections)
    engine = open_state(settings)
    with running_sandbox(tmp_path, orders=1) as running:
        for name, value in (running.env | environment(url) | {"TRYTON_IS_UNIQUE": "true"}).items():
            monkeypatch.setenv(name, value)
        assert run_once(settings).problems == []
        [connection] = [each for each in load_connections(connections) if each.destination]
        ingest(settings, engine, connection, "again")
    posted_once(clerk, engine, orders[:2])
    amounts = sorted(row.amount for row in outbox.rows(engine))
    assert amounts == [Decimal("124.95"), Decimal("151.91")]
    with duckdb.connect(settings.warehouse, read_only=True) as db:
        read = db.execute("SELECT order_id, shipment_id, status FROM raw_erp.invoices ORDER BY 1").fetchall()
    assert read == [(each["number"], f"CN-{each['number']}", "posted") for each in orders[:2]]
    assert len(clerk.rows("account.invoice", [], ["number"])) == 2
