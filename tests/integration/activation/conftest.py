"""One sandbox ERP for all tests here, and released invoices made from orders that it really has."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from core.connections import Connection, load_connections
from core.settings import ROOT, Settings
from state import decisions
from state.decisions import Decision
from state.engine import open_state
from tests.support.approved_rules import let_in
from tests.support.sandbox import Running, running_sandbox

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)


class Erp:
    """The sandbox's ERP as a test asks it, faults as a test plants them."""

    def __init__(self, running: Running) -> None:
        self.url = running.url("erp")
        self._client = httpx.Client(
            base_url=self.url, headers={"Authorization": "token sandbox-erp-key:sandbox-erp-secret"}
        )

    def get(self, doctype: str, **parameters: str) -> list[dict[str, Any]]:
        answer = self._client.get(f"/api/resource/{doctype}", params=parameters).raise_for_status()
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    def invoices(self, key: str) -> list[dict[str, Any]]:
        return self.get(
            "Sales Invoice", filters=json.dumps([["custom_waybill_key", "=", key]]), fields='["*"]'
        )

    def keyed(self) -> list[dict[str, Any]]:
        """Every invoice under a key of Waybill's."""
        return self.get(
            "Sales Invoice",
            filters=json.dumps([["custom_waybill_key", "is", "set"]]),
            fields='["*"]',
            limit_page_length="0",
        )

    def whole(self, name: str) -> dict[str, Any]:
        """One invoice with its lines."""
        answer = self._client.get(f"/api/resource/Sales Invoice/{name}").raise_for_status()
        found: dict[str, Any] = answer.json()["data"]
        return found

    def make(self, document: dict[str, Any], docstatus: int = 1) -> dict[str, Any]:
        """An invoice that a person makes in the ERP by hand; 0 leaves it a draft."""
        answer = self._client.post("/api/resource/Sales Invoice", json={**document, "docstatus": docstatus})
        made: dict[str, Any] = answer.raise_for_status().json()["data"]
        return made

    def cancel(self, name: str) -> None:
        self._client.put(f"/api/resource/Sales Invoice/{name}", json={"docstatus": 2}).raise_for_status()

    def delete(self, name: str) -> None:
        self._client.delete(f"/api/resource/Sales Invoice/{name}").raise_for_status()

    def remove(self, name: str) -> None:
        """As if it had never been there."""
        if self.whole(name)["docstatus"] == 1:
            self.cancel(name)
        self.delete(name)

    def empty(self) -> None:
        """No invoice under a key any more: credit notes before what they reverse, and of two under one key neither stops the other."""
        self.keep_keys_unique(unique=False)
        for each in sorted(self.keyed(), key=lambda each: not each.get("is_return")):
            self.remove(each["name"])
        self.keep_keys_unique(unique=True)

    def plant(self, **fault: Any) -> None:
        self._client.post("/_sandbox/faults", json=fault).raise_for_status()

    def heal(self) -> None:
        self._client.delete("/_sandbox/faults").raise_for_status()

    def keep_keys_unique(self, *, unique: bool, doctype: str = "Sales Invoice") -> None:
        """Whether this ERP refuses a second document under a key, as its custom field says."""
        field = f"/api/resource/Custom Field/{doctype}-custom_waybill_key"
        self._client.put(field, json={"unique": int(unique)}).raise_for_status()

    def mutating(self) -> int:
        return int(self._client.get("/_sandbox/requests").json()["mutating"])


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), orders=120) as running:
        yield running


@pytest.fixture
def erp(running: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Erp]:
    for name, value in running.env.items():
        monkeypatch.setenv(name, value)
    erp = Erp(running)
    erp.heal()
    yield erp
    erp.heal()
    for doctype in ("Sales Invoice", "Issue"):
        erp.keep_keys_unique(unique=True, doctype=doctype)


@pytest.fixture
def connection(erp: Erp) -> Connection:
    """The sandbox's ERP as one that takes invoices alone: no confirmation comes before them."""
    assert erp
    found = load_connections(ROOT / "connections" / "sandbox")
    return invoices_alone(next(each for each in found if each.connection == "sandbox_erp"))


def invoices_alone(connection: Connection) -> Connection:
    """The connection as one that takes no confirmations."""
    assert connection.destination is not None
    alone = connection.destination.model_copy(update={"operations": ("invoice",)})
    return connection.model_copy(update={"destination": alone})


@pytest.fixture
def settings(tmp_path: Path, state_url: SecretStr | None) -> Settings:
    return Settings(home=tmp_path, state_url=state_url, connections=ROOT / "connections" / "sandbox")


@pytest.fixture
def engine(settings: Settings) -> Engine:
    made = open_state(settings)
    let_in(made, "r")
    return made


@pytest.fixture
def released(erp: Erp, engine: Engine, request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """Three released rows of ``outbound_erp__invoices``, with their decisions."""
    orders = erp.get(
        "Sales Order",
        fields='["*"]',
        filters=json.dumps([["company", "=", "WBDE"], ["currency", "=", "EUR"]]),
        order_by="modified asc",
        limit_page_length="3",
    )
    names = json.dumps([["parent", "in", [order["name"] for order in orders]]])
    lines = erp.get(
        "Sales Order Item", parent="Sales Order", fields='["*"]', filters=names, limit_page_length="0"
    )
    rows = [
        row_of(order, [line for line in lines if line["parent"] == order["name"]], request.node.name)
        for order in orders
    ]
    decisions.record(engine, [decision_of(row) for row in rows])
    return rows


def row_of(order: dict[str, Any], lines: list[dict[str, Any]], salt: str) -> dict[str, Any]:
    """What the outbound model would say of this order; ``salt`` keeps the tests' keys apart."""
    billed = []
    by_rate: dict[Decimal, Decimal] = {}
    for line in lines:
        rate, net = (
            Decimal(str(line["custom_tax_rate"] or 0)),
            Decimal(str(line["amount"])).quantize(Decimal("0.01")),
        )
        by_rate[rate] = by_rate.get(rate, Decimal(0)) + net
        billed.append(
            {
                "line_id": line["name"],
                "charge_key": f"{salt}|{line['name']}|goods|1",
                "order_line_id": line["name"],
                "item_id": line["item_code"],
                "quantity": str(line["qty"]),
                "uom": line["uom"],
                "net_price": str(line["rate"]),
                "net_amount": str(net),
                "tax_code": line["item_tax_template"],
                "tax_rate_percent": str(rate),
                "income_account": None,
            }
        )
    net_total = sum(by_rate.values(), Decimal(0))
    tax = sum(((net * rate / 100).quantize(Decimal("0.01")) for rate, net in by_rate.items()), Decimal(0))
    return {
        "business_id": f"{salt}-{order['name']}",
        "revision": 1,
        "decision_id": f"decision-{order['name']}",
        "company_id": order["company"],
        "destination": "sandbox_erp",
        "operation": "invoice",
        "customer_id": order["customer"],
        "order_no": order["name"],
        "shipment_no": f"{order['name']}-S1",
        "po_no": order["po_no"],
        "currency": order["currency"],
        "pod_id": "POD-1",
        "delivery_date": NOW.date(),
        "posting_date": NOW.date(),
        "payment_terms": None,
        "net_total_amount": net_total,
        "tax_total_amount": tax,
        "grand_total_amount": net_total + tax,
        "lines_json": json.dumps(billed),
        "content_hash": "c" * 64,
        "input_hash": "i" * 64,
    }


def decision_of(row: dict[str, Any], **changes: Any) -> Decision:
    """The decision that releases a row, or whatever ``changes`` make of it."""
    fields: dict[str, Any] = {
        "decision_id": row["decision_id"],
        "business_id": row["business_id"],
        "revision": row["revision"],
        "company_id": row["company_id"],
        "order_no": row["order_no"],
        "shipment_no": row["shipment_no"],
        "customer_id": row["customer_id"],
        "verdict": "released",
        "codes": (),
        "warnings": (),
        "reasons": [],
        "input_hash": row["input_hash"],
        "content_hash": row["content_hash"],
        "ruleset_version": "r",
        "policy_version": "p",
        "as_of": NOW,
        "decided_at": NOW,
        "amount": row["grand_total_amount"],
        "currency": row["currency"],
        "run_id": "run",
        "is_first_evaluation": True,
    }
    return Decision(**(fields | changes))
