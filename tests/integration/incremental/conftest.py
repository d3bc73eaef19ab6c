"""One world in two warehouses: built at once, and built as its rows came in.

Belongs here: writing rows as loads, and building what came in.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

import duckdb
import polars as pl
import pytest

from tests.reference.arrivals import Arrived, arrived
from tests.reference.inputs import Inputs
from tests.reference.restatements import Run
from tests.support.random_worlds.generate import generate, raw_rows
from tests.support.random_worlds.world import AS_OF, Row
from tests.support.warehouse import VERSION, append, create_raw_tables, insert_rows, query, run_dbt

SEED = int(os.environ.get("WAYBILL_WORLDS_SEED", "20261103"))
"""Try other worlds with another one: ``WAYBILL_WORLDS_SEED=7 pytest tests/integration/incremental``."""
_EVERYTHING = ("--select", "tag:before_gate", "tag:outbound", "tag:after_push", "--exclude-resource-type", "test",
               "--exclude-resource-type", "unit_test")  # fmt: skip
_FLEET = (
    "+canonical_vehicle_stops", "+canonical_geofence_visits", "+int_route_legs", "int_vehicle_fixes", "seen_device_zones",
    "seen_trip_spans", "seen_trip_ways", "seen_place_cells", "built_loads",
)  # fmt: skip
LOADS = ("1700000000.0", "1700000100.0", "1700000200.0")
INSTANTS = (AS_OF - timedelta(days=5), AS_OF - timedelta(days=2), AS_OF)
Rows = dict[tuple[str, str], list[Row]]


def build(path: Path, part: int, builds_on: int | None = None, *arguments: str) -> None:
    instants = {"as_of": INSTANTS[part].isoformat()}
    if builds_on is not None:
        instants["builds_on"] = INSTANTS[builds_on].isoformat()
    result = run_dbt(path, "build", *_EVERYTHING, *arguments, **instants)
    assert result.success, result.exception or [
        (each.node.name, each.message) for each in result.result if str(each.status) == "error"
    ]


def build_fleet(path: Path, as_of: datetime, builds_on: datetime | None) -> None:
    """What is built of positions and ways, without anything of shipments."""
    if builds_on is None:
        # What `touched` asks of the marts, which are not built here.
        query(path, "CREATE SCHEMA IF NOT EXISTS marts")
        no_shipments = "SELECT '' AS shipment_no, false AS is_unbilled WHERE false"
        query(path, f"CREATE OR REPLACE TABLE marts.fct_shipments AS {no_shipments}")
    instants = {"as_of": as_of.isoformat()} | ({"builds_on": builds_on.isoformat()} if builds_on else {})
    result = run_dbt(path, "run", "--select", *_FLEET, **instants)
    assert result.success, [
        (each.node.name, each.message) for each in result.result if each.status == "error"
    ]


def write(path: Path, rows: Rows, load: str) -> None:
    """These rows as one more load of each dataset. Waybill's own tables are given whole."""
    for dataset in sorted({f"raw_{kind}" for kind, _ in rows}):
        if load != LOADS[0]:
            append(path, dataset, "_dlt_loads", [{"load_id": load, "status": 0}])
    arrival = {"_dlt_load_id": load, "ingested_at": AS_OF + timedelta(days=1 + LOADS.index(load))}
    for (kind, resource), found in rows.items():
        arrived = [row | arrival for row in found]
        if kind in {"gate", "ledger"}:
            query(path, f"DELETE FROM raw_{kind}.{resource}")
            append(path, f"raw_{kind}", resource, [row | {"_dlt_load_id": load} for row in found])
        else:
            insert_rows(path, kind, resource, arrived)


def in_parts(rows: Rows, seed: int) -> list[Rows]:
    """Each row in one of three parts, by the dice; what Waybill notes grows from part to part. Units change their lorry
    while their positions come in."""
    dice = Random(seed)
    parts: list[Rows] = [{}, {}, {}]
    for (kind, resource), found in rows.items():
        for part in parts:
            part[kind, resource] = []
        for row in found:
            first = dice.choices([0, 1, 2], [50, 25, 25] if resource == "vehicles" else [98, 1, 1])[0]
            own = kind in {"gate", "ledger"}
            for number in range(first, 3) if own else [first]:
                parts[number][kind, resource].append(row)
    return parts


@pytest.fixture(scope="module")
def rows() -> Rows:
    return raw_rows(generate(SEED))


@pytest.fixture(scope="module")
def once(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("once") / "warehouse.duckdb"
    create_raw_tables(path)
    for part, load in zip(in_parts(rows, SEED), LOADS, strict=True):
        write(path, part, load)
    build(path, 2)
    return path


class Built(NamedTuple):
    """A warehouse that was built three times, and what each build published."""

    path: Path
    runs: list[Run]


@pytest.fixture(scope="module")
def built(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The second part is built twice: the first time it breaks off once its facts are replaced."""
    found = Built(tmp_path_factory.mktemp("parts") / "warehouse.duckdb", [])
    create_raw_tables(found.path)
    known: list[Inputs] = []
    so_far: Rows = {}
    for number, (part, load) in enumerate(zip(in_parts(rows, SEED), LOADS, strict=True)):
        write(found.path, part, load)
        if number == 1:
            build(found.path, number, 0, "--exclude", "int_kpi_changed_periods+")
        build(found.path, number, number - 1 if number else None)
        so_far = together(so_far, part)
        known.append(Inputs(so_far, INSTANTS[number], VERSION))
        facts, values = (
            read(found.path, f"SELECT * FROM marts.{name}") for name in ("kpi_facts", "kpi_values")
        )
        news = arrived(known[-2], known[-1]) if number else Arrived()
        found.runs.append(Run(INSTANTS[number], facts, values, news))
    return found


def together(so_far: Rows, part: Rows) -> Rows:
    """All that has come in; Waybill's own tables are given whole."""
    return {
        (kind, name): found if kind in {"gate", "ledger"} else [*so_far.get((kind, name), []), *found]
        for (kind, name), found in part.items()
    }


def read(path: Path, sql: str) -> pl.DataFrame:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql).pl()


@pytest.fixture(scope="module")
def parts(built: Built) -> Path:
    return built.path
