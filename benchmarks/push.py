"""The push beside a bare client: ``python -m benchmarks.push --invoices 1000``.

Three rounds against one sandbox ERP, with the same invoices under other keys and the same number of requests at a time:

- ``bare``: one HTTP client makes the same five calls of an invoice (look up, create, read, submit, read back), keeps nothing;
- ``push``: ours, every attempt committed before it is sent;
- ``poisoned``: ours, with one invoice in a hundred that the ERP refuses; its rate is that of the others.

Prints a table on stderr and one JSON document on stdout. What counts are the ratios: all rounds run on one machine in
one run.
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
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from activation.destinations.erp_frappe import FrappeDestination
from activation.document import document_of
from activation.push import push
from contracts.invoice import InvoiceDocument
from core.connections import Connection, load_connections
from core.settings import ROOT, Settings
from state import decisions
from state.engine import open_state
from tests.integration.activation.conftest import Erp, decision_of, row_of
from tests.support.sandbox import running_sandbox

Rows = list[dict[str, Any]]
_ONE_IN = 100
_NOBODY = "NOBODY"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--invoices", type=int, default=1000)
    invoices = parser.parse_args().invoices
    with (
        tempfile.TemporaryDirectory() as folder,
        running_sandbox(Path(folder) / "sandbox") as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in running.env.items():
            patch.setenv(name, value)
        rounds, concurrency = _measure(Path(folder), Erp(running), invoices)
    document = {
        "invoices": invoices,
        "concurrency": concurrency,
        "cores": os.cpu_count(),
        "invoices_per_s": rounds,
        "ratios": {
            "push ÷ bare": round(rounds["push"] / rounds["bare"], 3),
            "poisoned ÷ push": round(rounds["poisoned"] / rounds["push"], 3),
        },
    }
    _show(document)
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return 0


def _measure(folder: Path, erp: Erp, invoices: int) -> tuple[dict[str, float], int]:
    found = load_connections(ROOT / "connections" / "sandbox")
    connection = next(each for each in found if each.connection == "sandbox_erp")
    assert connection.destination is not None
    concurrency = connection.destination.max_concurrency
    poisoned = _rows(erp, invoices, "poisoned")
    for row in poisoned[::_ONE_IN]:
        row["customer_id"] = _NOBODY
    rounds = {
        "bare": _bare(connection, concurrency, _rows(erp, invoices, "bare")),
        "push": _pushed(folder / "push", connection, _rows(erp, invoices, "push")),
        "poisoned": _pushed(folder / "poisoned", connection, poisoned),
    }
    return rounds, concurrency


def _rows(erp: Erp, many: int, salt: str) -> Rows:
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


def _bare(connection: Connection, concurrency: int, rows: Rows) -> float:
    destination = FrappeDestination(connection)
    documents = [document_of(row) for row in rows]

    def send(document: InvoiceDocument) -> None:
        destination.look_up(document.idempotency_key)
        erp_id = destination.create_draft(document)
        destination.post(erp_id)
        destination.read_back(erp_id)

    def all_of_them() -> None:
        with ThreadPoolExecutor(concurrency) as pool:
            list(pool.map(send, documents))

    try:
        return _rate(all_of_them, len(rows))
    finally:
        destination.close()


def _pushed(home: Path, connection: Connection, rows: Rows) -> float:
    home.mkdir()
    engine = open_state(Settings(home=home))
    decisions.record(engine, [decision_of(row) for row in rows])
    good = sum(row["customer_id"] != _NOBODY for row in rows)
    try:
        return _rate(lambda: _all_posted(engine, connection, rows, good), good)
    finally:
        engine.dispose()


def _all_posted(engine: Engine, connection: Connection, rows: Sequence[dict[str, Any]], good: int) -> None:
    result = push(engine, [connection], rows)
    if result.posted != good:
        raise SystemExit(f"{result.posted} of {good} were posted: {result.errors[:3]}")


def _rate(work: Callable[[], None], many: int) -> float:
    started = time.monotonic()
    work()
    return round(many / (time.monotonic() - started), 1)


def _show(document: dict[str, Any]) -> None:
    title = f"{document['invoices']:,} invoices, {document['concurrency']} at a time"
    table = Table("round", "invoices/s", title=title)
    for name, rate in document["invoices_per_s"].items():
        table.add_row(name, f"{rate:.1f}")
    for name, ratio in document["ratios"].items():
        table.add_row(name, f"{ratio:.3f}")
    Console(stderr=True).print(table)


if __name__ == "__main__":
    sys.exit(main())
