"""Tryton servers for all tests here, with and without unique references, and released invoices of orders made in them."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from core.connections import Connection, load_connections
from core.settings import ROOT, Settings
from state import attempts, decisions, ledger, outbox
from state.decisions import Decision
from state.engine import open_state
from tests.support.approved_rules import let_in
from tests.support.proxy import Proxy, running_proxy
from tests.support.tryton import environment, on_sqlite
from tests.support.tryton_client import Clerk

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
DAY = NOW.date()
"""The day of every invoice here: Tryton numbers none that is older than the last one it numbered."""
EXAMPLES = ROOT / "connections" / "examples" / "tryton"
Rows = list[dict[str, Any]]


@pytest.fixture(scope="session", params=[True, False], ids=["unique", "not_unique"])
def is_unique(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory, is_unique: bool) -> Iterator[str]:
    with on_sqlite(tmp_path_factory.mktemp("tryton"), unique=is_unique) as url:
        yield url


@pytest.fixture(scope="session")
def clerk(url: str) -> Clerk:
    return Clerk(url)


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    with running_proxy(url) as proxy:
        yield proxy


@pytest.fixture
def connection(proxy: Proxy, is_unique: bool, monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.setattr("activation.backoff._FIRST_S", 0.05)
    monkeypatch.setattr("activation.endings._LOOK_APART_S", 0.05)
    return connect(proxy.url, monkeypatch, is_unique=is_unique)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, connections=EXAMPLES)


@pytest.fixture
def engine(settings: Settings) -> Engine:
    return open_state(settings)


@pytest.fixture
def released(clerk: Clerk, engine: Engine, request: pytest.FixtureRequest) -> Rows:
    """A released row of ``outbound_erp__invoices`` of two lines, with its decision."""
    return release(engine, [clerk.order([("PALLET", "10", "10.50"), ("BOOK", "3", "8.40")])], clerk, request)


def connect(url: str, monkeypatch: pytest.MonkeyPatch, *, is_unique: bool) -> Connection:
    """The example's connection to this server, one call at a time and quick to settle."""
    for name, value in environment(url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRYTON_IS_UNIQUE", str(is_unique).lower())
    [found] = load_connections(EXAMPLES)
    assert found.destination is not None
    quick = found.destination.model_copy(update={"settle_s": 0.0, "max_concurrency": 1})
    return found.model_copy(update={"destination": quick})


def release(engine: Engine, orders: Rows, clerk: Clerk, request: pytest.FixtureRequest) -> Rows:
    rows = [row_of(order, clerk.revenue, request.node.name) for order in orders]
    let_in(engine, "r")
    decisions.record(engine, [decision_of(row) for row in rows])
    return rows


def row_of(order: dict[str, Any], account: int, salt: str, day: date = DAY) -> dict[str, Any]:
    """What the outbound model would say of this order; ``salt`` keeps the tests' keys apart."""
    lines = [_line(each, account, salt) for each in order["lines."]]
    by_rate: dict[Decimal, Decimal] = {}
    for line in lines:
        rate = Decimal(line["tax_rate_percent"])
        by_rate[rate] = by_rate.get(rate, Decimal(0)) + Decimal(line["net_amount"])
    net = sum(by_rate.values(), Decimal(0))
    tax = sum(((each * rate / 100).quantize(Decimal("0.01")) for rate, each in by_rate.items()), Decimal(0))
    number = order["number"]
    return {
        "business_id": f"{salt}-{number}", "revision": 1, "decision_id": f"decision-{number}", "company_id": "1",
        "destination": "tryton_erp", "operation": "invoice", "customer_id": str(order["party"]),
        "order_no": number, "shipment_no": f"{number}-S1", "po_no": "PO-1", "currency": "EUR", "pod_id": "POD-1",
        "delivery_date": day, "posting_date": day, "payment_terms": None, "net_total_amount": net,
        "tax_total_amount": tax, "grand_total_amount": net + tax, "lines_json": json.dumps(lines),
        "content_hash": "c" * 64, "input_hash": "i" * 64,
    }  # fmt: skip


def _line(line: dict[str, Any], account: int, salt: str) -> dict[str, Any]:
    [tax] = line["taxes."]
    return {
        "line_id": str(line["id"]), "charge_key": f"{salt}|{line['id']}|goods|1", "order_line_id": str(line["id"]),
        "item_id": str(line["product"]), "quantity": str(line["quantity"]), "uom": line["unit."]["symbol"],
        "net_price": str(line["unit_price"]), "net_amount": str(line["amount"]), "tax_code": str(tax["id"]),
        "tax_rate_percent": str(tax["rate"] * 100), "income_account": str(account),
    }  # fmt: skip


def decision_of(row: dict[str, Any], **changes: Any) -> Decision:
    """The decision that releases a row, or whatever ``changes`` make of it."""
    fields: dict[str, Any] = {
        "decision_id": row["decision_id"], "business_id": row["business_id"], "revision": row["revision"],
        "company_id": row["company_id"], "order_no": row["order_no"], "shipment_no": row["shipment_no"],
        "customer_id": row["customer_id"], "verdict": "released", "codes": (), "warnings": (), "reasons": [],
        "input_hash": row["input_hash"], "content_hash": row["content_hash"], "ruleset_version": "r",
        "policy_version": "p", "as_of": NOW, "decided_at": NOW, "amount": row["grand_total_amount"],
        "currency": row["currency"], "run_id": "run", "is_first_evaluation": True,
    }  # fmt: skip
    return Decision(**(fields | changes))


def posted_once(clerk: Clerk, engine: Engine, rows: Rows) -> None:
    """One posted invoice for each row, equal to it, and a receipt for each."""
    assert len(attempts.all_receipts(engine)) == len(rows)
    for row in outbox.rows(engine):
        assert row.state == "ACKED"
        found = clerk.invoices(row.idempotency_key)
        assert [(each["state"], each["total_amount"]) for each in found] == [("posted", row.amount)]
    assert ledger.verify(engine).first_bad is None
