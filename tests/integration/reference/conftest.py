"""Random worlds in one warehouse, built once; beside it the same rows' facts and numbers by the reference."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.reference.inputs import Inputs
from tests.reference.metrics import facts
from tests.reference.values import values
from tests.support.made_once import MadeOnce
from tests.support.random_worlds.generate import generate, raw_rows, write
from tests.support.random_worlds.world import AS_OF, Row
from tests.support.warehouse import VERSION, run_dbt

SEED = int(os.environ.get("WAYBILL_WORLDS_SEED", "20261103"))
"""Try other worlds with another one: ``WAYBILL_WORLDS_SEED=7 pytest tests/integration/reference``."""
_EVERYTHING = ("--select", "tag:before_gate", "tag:outbound", "tag:after_push")


@dataclass(frozen=True)
class Sides:
    """What the reference says, and what the marts say."""

    facts: pl.DataFrame
    values: pl.DataFrame
    mart_facts: pl.DataFrame
    mart_values: pl.DataFrame
    inputs: Inputs
    warehouse: Path

    def read(self, query: str) -> pl.DataFrame:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(query).pl()


@pytest.fixture(scope="session")
def rows() -> dict[tuple[str, str], list[Row]]:
    return raw_rows(generate(SEED))


@pytest.fixture(scope="session")
def sides(rows: dict[tuple[str, str], list[Row]], made_once: MadeOnce) -> Sides:
    def build(folder: Path) -> None:
        write(folder / "warehouse.duckdb", rows)
        for command in (("seed",), ("run", *_EVERYTHING)):
            result = run_dbt(folder / "warehouse.duckdb", *command, as_of=AS_OF.isoformat())
            assert result.success, f"seed {SEED}: {result.exception or _failed(result)}"

    path = made_once.folder("worlds", build) / "warehouse.duckdb"
    inputs = Inputs(rows, AS_OF, VERSION)
    ours = facts(inputs)
    return Sides(ours, values(ours), _read(path, "kpi_facts"), _read(path, "kpi_values"), inputs, path)


def _failed(result: Any) -> list[tuple[str, str]]:
    return [(each.node.name, each.message) for each in result.result if each.status in ("error", "fail")]


def _read(path: Path, table: str) -> pl.DataFrame:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(f"SELECT * FROM marts.{table}").pl()
