"""What DuckDB means to do with a model's SQL: which joins look rows up, and which compare all with all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from tests.support.warehouse import run_dbt

ALL_PAIRS = {"BLOCKWISE_NL_JOIN", "NESTED_LOOP_JOIN", "CROSS_PRODUCT", "PIECEWISE_MERGE_JOIN", "IE_JOIN"}
FEW = {
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
FEW_OF_WHAT_CAME = {
    "touched_by_push": "the one instant of the last build",
    "touched_vehicle_days": "the one instant of the last build",
    "int_kpi_facts_before": "the one instant of the last build",
    "int_kpi_facts_now": "as kpi_facts, whose new rows it holds",
    "int_kpi_changed_periods": "the four grains",
    "int_vehicle_steps": "the first and the last of the touched days",
    "int_vehicle_fixes": "the first and the last of the touched days",
}
"""The same of a build that goes on from another."""


def tables_of(path: Path, as_of: datetime, builds_on: datetime | None = None) -> Iterator[tuple[str, str]]:
    """Every model that is a table, with its SQL: that of a whole build, or of one that goes on from another."""
    before = {"builds_on": builds_on.isoformat()} if builds_on else {}
    result = run_dbt(
        path, "compile", "--select", "tag:before_gate", "tag:outbound", "tag:after_push",
        as_of=as_of.isoformat(), **before,
    )  # fmt: skip
    assert result.success
    for each in result.result.results:
        if each.node.resource_type == "model" and each.node.config.materialized != "view":
            yield each.node.name, each.node.compiled_code


def all_pairs(path: Path, sql: str) -> set[str]:
    """What in the plan of a query compares every row of one side with every row of the other."""
    return ALL_PAIRS & {each["name"].strip() for each in _plan(path, sql)}


def conditions(path: Path, sql: str) -> list[str]:
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
