"""No model compares every row of one table with every row of another: that is what a year of rows does not survive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from tests.integration.incremental.conftest import INSTANTS
from tests.support.warehouse import parsed, run_dbt

_ALL_PAIRS = {"BLOCKWISE_NL_JOIN", "NESTED_LOOP_JOIN", "CROSS_PRODUCT", "PIECEWISE_MERGE_JOIN", "IE_JOIN"}
_FEW = {
    "int_place_cells": "the cells of one place, counted",
    "int_billed_customers": "forms of VAT numbers, a seed",
    "int_loaded_ways": "quarters of a day of a trip, counted",
    "int_off_route_runs": "quarters of a day of a trip, counted",
    "int_stop_visits": "three neighbouring stretches of time",
    "fct_vehicle_days": "units in service and days",
    "fct_etas": "the horizons of a prediction",
    "kpi_facts": "sites and their calendars; weeks of a connection",
    "int_kpi_facts_published": "the one row of the last publication",
    "int_kpi_published": "the one row of the last publication",
    "kpi_restatements": "grains and dimensions",
    "int_kpi_publications": "the one row of the last publication",
}
"""What one side of such a join is, where it is a handful."""


def test_rows_meet_by_equal_columns(once: Path) -> None:
    found = {name for name, sql in _tables(once) if _all_pairs(once, sql)}
    # The names that two systems have for one master record.
    masters = {name for name in found if name.startswith("dim_")}
    assert masters and found - masters <= set(_FEW)


def test_a_number_finds_the_rows_that_moved_it_by_its_whole_key(once: Path) -> None:
    """By its metric alone it would be compared with every row of the metric: a year that comes in late did not end."""
    sql = dict(_tables(once))["kpi_restatements"]
    by_metric = [each for each in _conditions(once, sql) if "metric = metric" in each]
    key = ("grain", "period_start", "dimension", "dimension_value")
    assert by_metric and all(f"{name} = {name}" in each for each in by_metric for name in key)


def test_a_condition_that_no_join_can_look_up_is_found(once: Path) -> None:
    by_either = """
        SELECT count(*) FROM canonical.canonical_shipments AS one
        LEFT JOIN canonical.canonical_shipments AS other
        ON one.company_id = other.company_id AND (one.shipment_no = other.shipment_no OR one.order_no = other.order_no)
    """
    by_each = by_either.replace(
        "(one.shipment_no = other.shipment_no OR one.order_no = other.order_no)",
        "one.order_no = other.order_no",
    )
    assert _all_pairs(once, by_either) == {"BLOCKWISE_NL_JOIN"}
    assert not _all_pairs(once, by_each)


def _tables(path: Path, builds_on: datetime | None = None) -> Iterator[tuple[str, str]]:
    before = {"builds_on": builds_on.isoformat()} if builds_on else {}
    result = run_dbt(
        path, "compile", "--select", "tag:before_gate", "tag:outbound", "tag:after_push",
        manifest=parsed(path), as_of=INSTANTS[2].isoformat(), **before,
    )  # fmt: skip
    assert result.success
    for each in result.result.results:
        if each.node.resource_type == "model" and each.node.config.materialized != "view":
            yield each.node.name, each.node.compiled_code


def _all_pairs(path: Path, sql: str) -> set[str]:
    return _ALL_PAIRS & {each["name"].strip() for each in _plan(path, sql)}


def _conditions(path: Path, sql: str) -> list[str]:
    """What the rows of each join have to have in common, by which they are looked up."""
    return [
        str(each["extra_info"].get("Conditions")) for each in _plan(path, sql) if "HASH_JOIN" in each["name"]
    ]


def _plan(path: Path, sql: str) -> Iterator[dict[str, Any]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute(f"EXPLAIN (FORMAT json) {sql}").fetchone()
    assert row
    yield from _operators(json.loads(row[1]))


def _operators(plan: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in plan:
        yield each
        yield from _operators(each.get("children", []))
