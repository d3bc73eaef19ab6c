"""The push beside a bare client: ``python -m benchmarks.push``.

Four ways against one sandbox ERP, with the same invoices under other keys and the same number of requests at a time:

- ``bare``: an ``httpx`` client and nothing else: create, submit, read back, each invoice by itself: three calls. It keeps nothing
  and looks nothing up;
- ``together``: the same client, which reads back 16 invoices in a call, as the push does: a little more than two calls;
- ``push``: ours, from the released rows to the receipts: enqueued, looked up 32 in a call, every attempt committed before it
  is sent, read back 16 in a call;
- ``poisoned``: ours, with one invoice in a hundred that the ERP refuses; its rate is that of the others.

They take turns, a few invoices each and every other time in the opposite order, so that whatever else the machine does meanwhile
slows all of them alike. Prints a
table on stderr and one JSON document on stdout: invoices per second, and the CPU time per invoice of the client and of
the ERP's own process, which tells which of the two is the limit. What counts are the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from activation.push import push
from core.connections import Connection, load_connections
from core.settings import ROOT, Settings
from state import decisions
from state.engine import open_state
from tests.integration.activation.conftest import Erp, decision_of, row_of
from tests.support.approved_rules import let_in
from tests.support.sandbox import Running, running_sandbox

Rows = list[dict[str, Any]]
_ONE_IN = 100
_TOGETHER = 16
_WAYS = ("bare", "together", "push", "poisoned")
_TURNS = 10
_READ_BACK = ("name", "docstatus", "customer", "grand_total", "custom_waybill_key")
_NOBODY = "NOBODY"
_LOGIN = {"Authorization": "token sandbox-erp-key:sandbox-erp-secret"}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--invoices", type=int, default=3000)
    parser.add_argument(
        "--concurrency", type=int, default=None, help="requests at a time; as declared if left out"
    )
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_sandbox(Path(folder) / "sandbox") as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in running.env.items():
            patch.setenv(name, value)
        connection = _connection(asked.concurrency)
        ways = _measure(Path(folder), running, connection, asked.invoices)
    rates = {name: way.rate for name, way in ways.items()}
    assert connection.destination is not None
    document = {
        "invoices": asked.invoices,
        "concurrency": connection.destination.max_concurrency,
        "cores": os.cpu_count(),
        "invoices_per_s": {name: round(rate, 1) for name, rate in rates.items()},
        "cpu_ms_per_invoice": {
            name: {"client": way.per_invoice(way.client_s), "erp": way.per_invoice(way.erp_s)}
            for name, way in ways.items()
        },
        "ratios": {
            "push ÷ bare": round(rates["push"] / rates["bare"], 3),
            "push ÷ together": round(rates["push"] / rates["together"], 3),
            "poisoned ÷ push": round(rates["poisoned"] / rates["push"], 3),
        },
    }
    _show(document)
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return 0


def _connection(concurrency: int | None) -> Connection:
    found = load_connections(ROOT / "connections" / "sandbox")
    connection = next(each for each in found if each.connection == "sandbox_erp")
    assert connection.destination is not None
    # Invoices alone, as the bare clients beside it send them: no confirmation goes before them.
    changes = {"operations": ("invoice",)} | ({"max_concurrency": concurrency} if concurrency else {})
    return connection.model_copy(update={"destination": connection.destination.model_copy(update=changes)})


@dataclass
class _Way:
    """What one way has taken so far, in seconds, and how many good invoices it has posted."""

    good: int = 0
    wall_s: float = 0.0
    client_s: float = 0.0
    erp_s: float = 0.0

    @property
    def rate(self) -> float:
        return self.good / self.wall_s

    def per_invoice(self, seconds: float) -> float:
        return round(1000 * seconds / self.good, 2)

    def take(self, work: Callable[[], None], erp: Callable[[], float], good: int) -> None:
        """Do a turn's work and add up what it took."""
        wall, client, server = time.monotonic(), time.process_time(), erp()
        work()
        self.wall_s += time.monotonic() - wall
        self.client_s += time.process_time() - client
        self.erp_s += erp() - server
        self.good += good


def _measure(folder: Path, running: Running, connection: Connection, invoices: int) -> dict[str, _Way]:
    erp, cpu = Erp(running), partial(_cpu_s, running.pid)
    ways = {name: _Way() for name in _WAYS}
    engine = open_state(Settings(home=folder / "home"))
    let_in(engine, "r")
    per_turn = max(_ONE_IN, invoices // _TURNS)
    with httpx.Client(base_url=f"{erp.url}/api/resource", headers=_LOGIN) as client:
        for turn in range(max(1, invoices // per_turn)):
            rows = {name: released_rows(erp, per_turn, f"{name}-{turn}") for name in ways}
            for row in rows["poisoned"][::_ONE_IN]:
                row["customer_id"] = _NOBODY
            decisions.record(
                engine, [decision_of(row) for name in ("push", "poisoned") for row in rows[name]]
            )
            good = {name: sum(row["customer_id"] != _NOBODY for row in rows[name]) for name in ways}
            work: dict[str, Callable[[], None]] = {
                "bare": partial(_bare, client, connection, rows["bare"], 1),
                "together": partial(_bare, client, connection, rows["together"], _TOGETHER),
                "push": partial(_all_posted, engine, connection, rows["push"], good["push"]),
                "poisoned": partial(_all_posted, engine, connection, rows["poisoned"], good["poisoned"]),
            }
            for name in _WAYS if turn % 2 == 0 else reversed(_WAYS):
                ways[name].take(work[name], cpu, good[name])
    engine.dispose()
    return ways


def _cpu_s(sandbox: int) -> float:
    """What the busiest server of the sandbox has used: the ERP's."""
    servers = psutil.Process(sandbox).children(recursive=True)
    return max(sum(each.cpu_times()[:2]) for each in servers)


def released_rows(erp: Erp, many: int, salt: str) -> Rows:
    """So many released rows, made from the orders of the sandbox over and over."""
    wanted = json.dumps([["company", "=", "WBDE"], ["currency", "=", "EUR"]])
    # The oldest are whole; the world leaves fields of others out, which is not what is measured here.
    orders = erp.get(
        "Sales Order", fields='["*"]', filters=wanted, order_by="modified asc", limit_page_length="3"
    )
    lines = erp.get("Sales Order Item", parent="Sales Order", fields='["*"]', limit_page_length="0")
    by_order = {
        order["name"]: [each for each in lines if each["parent"] == order["name"]] for order in orders
    }
    rows = []
    for number in range(many):
        order = orders[number % len(orders)]
        row = row_of(order, by_order[order["name"]], f"{salt}-{number}")
        rows.append(row | {"decision_id": f"{salt}-{number}", "shipment_no": f"{salt}-{number}"})
    return rows


def _bare(client: httpx.Client, connection: Connection, rows: Rows, together: int) -> None:
    assert connection.destination is not None

    def send(row: dict[str, Any]) -> str:
        made = client.post("/Sales Invoice", json=plain_body(row)).raise_for_status().json()["data"]
        change = {"docstatus": 1, "modified": made["modified"]}
        client.put(f"/Sales Invoice/{made['name']}", json=change).raise_for_status()
        return str(made["name"])

    def read(names: list[str]) -> list[dict[str, Any]]:
        if len(names) == 1:
            return [client.get(f"/Sales Invoice/{names[0]}").raise_for_status().json()["data"]]
        asked = {"filters": json.dumps([["name", "in", names]]), "fields": json.dumps(_READ_BACK)}
        found = client.get("/Sales Invoice", params=asked | {"limit_page_length": "0"})
        return list(found.raise_for_status().json()["data"])

    def send_some(some: Rows) -> None:
        names = [send(row) for row in some]
        posted = {each["name"] for each in read(names) if each["docstatus"] == 1}
        if posted != set(names):
            raise SystemExit(f"{set(names) - posted} were not posted")

    parts = [rows[start : start + together] for start in range(0, len(rows), together)]
    with ThreadPoolExecutor(connection.destination.max_concurrency) as pool:
        list(pool.map(send_some, parts))


def plain_body(row: dict[str, Any]) -> dict[str, Any]:
    """What an integrator would write by hand for a row."""
    return {
        "customer": row["customer_id"],
        "company": row["company_id"],
        "currency": row["currency"],
        "posting_date": row["posting_date"].isoformat(),
        "set_posting_time": 1,
        "custom_sales_order": row["order_no"],
        "custom_shipment": row["shipment_no"],
        "custom_waybill_key": row["business_id"],
        "items": [
            {
                "item_code": line["item_id"],
                "qty": line["quantity"],
                "uom": line["uom"],
                "rate": line["net_price"],
                "so_detail": line["order_line_id"],
                "item_tax_template": line["tax_code"],
                "custom_tax_rate": line["tax_rate_percent"],
            }
            for line in json.loads(row["lines_json"])
        ],
    }


def _all_posted(engine: Engine, connection: Connection, rows: Sequence[dict[str, Any]], good: int) -> None:
    result = push(engine, [connection], rows)
    if result.posted != good:
        raise SystemExit(f"{result.posted} of {good} were posted: {result.errors[:3]}")


def _show(document: dict[str, Any]) -> None:
    title = f"{document['invoices']:,} invoices, {document['concurrency']} at a time"
    table = Table("way", "invoices/s", "client CPU ms", "ERP CPU ms", title=title)
    for name, rate in document["invoices_per_s"].items():
        cpu = document["cpu_ms_per_invoice"][name]
        table.add_row(name, f"{rate:.1f}", f"{cpu['client']:.2f}", f"{cpu['erp']:.2f}")
    for name, ratio in document["ratios"].items():
        table.add_row(name, f"{ratio:.3f}")
    Console(stderr=True).print(table)


if __name__ == "__main__":
    sys.exit(main())
