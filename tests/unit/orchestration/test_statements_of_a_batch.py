"""The worker's later batches run the statements that dbt made in its first: all of them or none, parents first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from core.errors import WaybillError
from orchestration.dbt_runner import NodeResult
from orchestration.event_statements import Statements

INTO = """
    delete from shop.orders where order_id in (select order_id from changes.touched);

    insert into shop.orders (order_id, amount)
    select order_id, amount from "orders__dbt_tmp20261129150234310971"
"""


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            """
            CREATE SCHEMA changes; CREATE SCHEMA shop; CREATE SCHEMA raw;
            CREATE TABLE raw.orders AS FROM (VALUES (1, 10), (2, 20)) AS rows (order_id, amount);
            CREATE TABLE changes.touched AS SELECT 7 AS order_id;
            CREATE TABLE shop.orders AS FROM (VALUES (1, 5), (3, 30)) AS rows (order_id, amount);
            """
        )
        yield connection


@pytest.fixture
def statements(tmp_path: Path) -> Statements:
    into = tmp_path / "orders.sql"
    into.write_text(INTO, encoding="utf-8")
    touched = "select order_id from raw.orders -- a remark at the end"
    orders = (
        "select amount, order_id from raw.orders where order_id in (select order_id from changes.touched)"
    )
    return Statements(
        [
            built("changes", "touched", "table", touched, into),
            built("shop", "orders", "incremental", orders, into),
        ]
    )


def built(schema: str, name: str, materialized: str, compiled: str, written: Path) -> NodeResult:
    return NodeResult(
        f"model.waybill.{name}", "success", "", 0.0, 0, compiled, schema, name, materialized, written
    )


def rows(warehouse: duckdb.DuckDBPyConnection, table: str) -> list[tuple[int, ...]]:
    return warehouse.execute(f"FROM {table} ORDER BY ALL").fetchall()


def test_touched_rows_are_replaced_and_others_stay(
    warehouse: duckdb.DuckDBPyConnection, statements: Statements
) -> None:
    for _ in range(2):  # as often as there are batches
        results = statements.run(warehouse, {"touched", "orders"})
        assert [each.name for each in results] == ["touched", "orders"]
        assert rows(warehouse, "changes.touched") == [(1,), (2,)]
        assert rows(warehouse, "shop.orders") == [(1, 10), (2, 20), (3, 30)]


def test_what_is_not_asked_for_is_not_built(
    warehouse: duckdb.DuckDBPyConnection, statements: Statements
) -> None:
    assert [each.name for each in statements.run(warehouse, {"touched"})] == ["touched"]
    assert rows(warehouse, "shop.orders") == [(1, 5), (3, 30)]


def test_one_that_fails_is_named_and_leaves_nothing_of_the_others(
    warehouse: duckdb.DuckDBPyConnection, statements: Statements
) -> None:
    warehouse.execute("ALTER TABLE shop.orders DROP COLUMN amount")
    with pytest.raises(WaybillError, match=r"model\.waybill\.orders of a batch"):
        statements.run(warehouse, {"touched", "orders"})
    assert rows(warehouse, "changes.touched") == [(7,)]
    assert rows(warehouse, "shop.orders") == [(1,), (3,)]
    # The next batch finds the connection as it was.
    warehouse.execute("ALTER TABLE shop.orders ADD COLUMN amount INTEGER")
    statements.run(warehouse, {"touched", "orders"})
    assert rows(warehouse, "shop.orders")[:2] == [(1, 10), (2, 20)]


def test_a_kill_before_the_end_leaves_the_tables_as_they_were(
    warehouse: duckdb.DuckDBPyConnection, statements: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("orchestration.event_statements._run", die)
        statements.run(warehouse, {"touched", "orders"})
    assert rows(warehouse, "changes.touched") == [(7,)]
