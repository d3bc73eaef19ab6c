"""One warehouse with every edge in it, built once; each test reads what became of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.dbt_core.edges import plant
from tests.support.deliveries import DEPARTED, World
from tests.support.made_once import MadeOnce
from tests.support.warehouse import create_raw_tables, insert_rows, query, run_dbt

AS_OF = "2026-11-13T17:00:00+00:00"
GO_LIVE = "2026-11-10T00:00:00+00:00"
Row = dict[str, Any]


def build(path: Path, tag: str = "before_gate", as_of: str = AS_OF) -> None:
    more = {"as_of": as_of, "go_live_at": GO_LIVE}
    result = run_dbt(path, "build", "--select", f"tag:{tag}", "--exclude-resource-type", "unit_test", **more)
    assert result.success, result.exception or [
        (each.node.name, each.message) for each in result.result if str(each.status) in ("error", "fail")
    ]


@pytest.fixture(scope="session")
def warehouse(made_once: MadeOnce) -> Path:
    return made_once.folder("core", _make_core) / "warehouse.duckdb"


def _make_core(folder: Path) -> None:
    path = folder / "warehouse.duckdb"
    create_raw_tables(path)
    world = World()
    plant(world)
    world.write(path)
    insert_rows(path, "erp", "orders", [{"order_id": "Ohalf", "customer_id": "C1", "currency": "EUR",
                "status": "confirmed", "ordered_at": DEPARTED, "_dlt_load_id": "not finished"}])  # fmt: skip
    build(path)


@pytest.fixture(scope="session")
def empty_marts(made_once: MadeOnce) -> Path:
    """Every model of the marts, without a row; who fills one of them takes a copy."""
    return made_once.folder("marts", _make_marts) / "warehouse.duckdb"


def _make_marts(folder: Path) -> None:
    path = folder / "warehouse.duckdb"
    create_raw_tables(path)
    assert run_dbt(path, "seed").success
    for tag in ("before_gate", "outbound", "after_push"):
        assert run_dbt(path, "run", "--empty", "--select", f"tag:{tag}").success


@pytest.fixture(scope="session")
def candidates(warehouse: Path) -> dict[str, Row]:
    return {
        row["shipment_no"][1:]: row for row in query(warehouse, "SELECT * FROM candidates.invoice_candidates")
    }


@pytest.fixture(scope="session")
def shipments(warehouse: Path) -> dict[str, Row]:
    return {
        row["shipment_no"][1:]: row for row in query(warehouse, "SELECT * FROM canonical.canonical_shipments")
    }


def seen(row: Row, **expected: Any) -> None:
    assert {name: row[name] for name in expected} == expected
