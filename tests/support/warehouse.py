"""A warehouse with raw tables as ingestion leaves them, filled row by row, for tests of the dbt models.

Belongs here: creating and filling raw tables, and running dbt over them. No expectation stands here.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Boolean, Integer, Table

from contracts.arrow import INSTANT, schema_of
from contracts.base import Envelope
from contracts.resources import RESOURCES, resource
from core.settings import Settings
from ingestion.ledger import CONNECTIONS
from orchestration.dbt_runner import parse
from state.projections import GATE, LEDGER, PAYLOADS
from state.types import Instant, Money

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
LOAD_ID = "1700000000.0"
VERSION = datetime(2026, 11, 1, tzinfo=UTC)
"""``source_version`` of a row that does not say its own."""
_DLT = [pa.field("_dlt_load_id", pa.string()), pa.field("_dlt_id", pa.string())]
_MONEY = pa.decimal128(18, 4)


def create_raw_tables(path: Path) -> None:
    """Empty raw tables of every resource and of the state's projections, their ``_dlt_loads``, and one completed load (``LOAD_ID``)."""
    with duckdb.connect(str(path)) as connection:
        for each in RESOURCES:
            _create(connection, each.dataset, each.name, schema_of(Envelope, each.contract))
        for dataset, tables in (("raw_gate", GATE), ("raw_ledger", LEDGER)):
            for name, table in tables.items():
                _create(connection, dataset, name, _state_schema(table))
        _create(connection, "raw_ledger", "connections", CONNECTIONS)
        for dataset in sorted({each.dataset for each in RESOURCES} | {"raw_gate", "raw_ledger"}):
            connection.execute(f"CREATE TABLE {dataset}._dlt_loads (load_id VARCHAR, status BIGINT)")
            connection.execute(f"INSERT INTO {dataset}._dlt_loads VALUES (?, 0)", [LOAD_ID])


def insert_rows(path: Path, kind: str, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows given as contract fields; missing fields are the contract's defaults, and envelope
    fields are made up (connection ``<kind>``, key from the contract, ``VERSION``) unless given."""
    contract = resource(kind, name).contract
    defaults = {
        field: info.default for field, info in contract.model_fields.items() if not info.is_required()
    }
    full = []
    for row in rows:
        fields = {**defaults, **row}
        key = "|".join(str(fields[part]) for part in contract.key)
        full.append({**_envelope(kind, key), **fields})
    append(path, f"raw_{kind}", name, full)


def append(path: Path, dataset: str, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert complete rows into any raw table; dlt's columns are made up unless given."""
    rows = list(rows)
    if not rows:
        return
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        target = f'{dataset}."{name}"'
        schema = connection.execute(f"SELECT * FROM {target} LIMIT 0").to_arrow_table().schema
        start = connection.execute(f"SELECT count(*) FROM {target}").fetchone()
        first = start[0] if start else 0
        batch = pa.Table.from_pylist(
            [
                {"_dlt_load_id": LOAD_ID, "_dlt_id": f"{name}-{first + number}", **row}
                for number, row in enumerate(rows)
            ],
            schema=schema,
        )
        connection.register("batch", batch)
        connection.execute(f"INSERT INTO {target} SELECT * FROM batch")


@lru_cache(maxsize=1)
def _parsed() -> Any:
    with tempfile.TemporaryDirectory() as home:
        return parse(Settings(home=Path(home)))


def run_dbt(path: Path, command: str, *arguments: str, **variables: str | None) -> Any:
    """Run one dbt command over the warehouse in this process; dbt's result, the file closed again.

    The project is parsed once in a process: a run with other variables, or in another folder, would parse it again. The
    file's name is its database's, which is what was parsed.
    """
    assert path.name == Settings(home=path.parent).warehouse.name
    call = [command, *arguments]
    if variables:
        call += ["--vars", json.dumps(variables)]
    return _invoke(path, call, _parsed())


def _invoke(path: Path, call: list[str], manifest: Any) -> Any:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    os.environ["WAYBILL_WAREHOUSE"] = str(path)
    try:
        return dbtRunner(manifest=manifest).invoke([*call, *_common(path)])
    finally:
        DuckDBConnectionManager.close_all_connections()


def query(path: Path, sql: str) -> list[dict[str, Any]]:
    """Rows of a query as dictionaries, times in UTC."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows: list[dict[str, Any]] = connection.execute(sql).to_arrow_table().to_pylist()
    return rows


def _state_schema(table: Table) -> pa.Schema:
    """The columns of a state table as its projection has them."""
    return pa.schema(
        [(each.name, _state_type(each.type)) for each in table.columns if each.name not in PAYLOADS]
    )


def _state_type(column_type: Any) -> pa.DataType:
    if isinstance(column_type, Boolean):
        return pa.bool_()
    if isinstance(column_type, Integer):
        return pa.int64()
    if isinstance(column_type, Instant):
        return INSTANT
    return _MONEY if isinstance(column_type, Money) else pa.string()


def _create(connection: duckdb.DuckDBPyConnection, dataset: str, name: str, schema: pa.Schema) -> None:
    full = schema
    for field in _DLT:
        full = full.append(field)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {dataset}")
    connection.register("empty", full.empty_table())
    connection.execute(f'CREATE TABLE {dataset}."{name}" AS SELECT * FROM empty')
    connection.unregister("empty")


def _envelope(kind: str, key: str) -> dict[str, Any]:
    return {
        "source_system": kind,
        "source_id": key,
        "source_version": VERSION,
        "ingested_at": VERSION,
        "run_id": "run_test",
        "contract_version": "v1",
        "trace_id": "trace_test",
        "row_hash": "0",
    }


@lru_cache(maxsize=8)
def _common(path: Path) -> tuple[str, ...]:
    folder = path.parent
    return (
        "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
        "--target-path", str(folder / "dbt_target"), "--log-path", str(folder / "logs"),
        "--quiet", "--no-use-colors", "--no-version-check",
        # What it did is in its result: a fifth of its time goes into files and lines that nobody reads.
        "--no-write-json", "--log-level", "none", "--log-level-file", "none",
    )  # fmt: skip
