"""Raw tables: made from the contracts before anything is read, rebuilt from landing when the file is lost."""

from __future__ import annotations

import logging
import shutil
from itertools import groupby

import duckdb
import pyarrow as pa
from sqlalchemy import Engine, Table

from contracts.arrow import INSTANT, schema_of
from contracts.base import Envelope
from contracts.resources import RESOURCES
from core.clock import utc_now
from core.disk import DiskFull
from core.errors import WaybillError
from core.settings import Settings
from core.warehouse import open_warehouse, writer_lock
from ingestion.gaps import gap
from ingestion.known import table_exists
from ingestion.landing import INBOX, Batch, landed
from ingestion.ledger import CONNECTIONS, project_gate, project_ledger, schema_of_table
from ingestion.load import Loader
from state.projections import GATE, LEDGER

log = logging.getLogger("waybill.ingestion")

_HELD = "Could not set lock on file"
"""What DuckDB says of a file that another process has open; "lock" alone stands in the stack traces of a broken log."""
_DLT = [
    pa.field("_dlt_load_id", pa.string(), nullable=False),
    pa.field("_dlt_id", pa.string(), nullable=False),
]
_LOADS = pa.schema(
    [
        pa.field("load_id", pa.string(), nullable=False),
        pa.field("schema_name", pa.string()),
        pa.field("status", pa.int64(), nullable=False),
        pa.field("inserted_at", INSTANT, nullable=False),
        pa.field("schema_version_hash", pa.string()),
    ]
)


def ensure_warehouse(settings: Settings, engine: Engine) -> None:
    """A warehouse that opens and has every raw table; a lost or damaged one is rebuilt from landing.

    A file that does not open, or has lost what was loaded into it, is set aside under another name, never deleted.
    """
    with writer_lock(settings, "ensure the warehouse"):
        _set_aside_if_damaged(settings)
        is_new = not settings.warehouse.exists()
        if is_new and settings.dlt_dir.exists():
            # What dlt had begun needs the file that is gone; all of it was landed before, and is replayed.
            shutil.rmtree(settings.dlt_dir)
        ensure_raw_tables(settings)
        if is_new and any(True for _ in landed(settings)):
            replay(settings, engine)


def ensure_raw_tables(settings: Settings) -> None:
    """Every raw table of the contracts and of the state's projections, empty where nothing feeds it."""
    tables: dict[tuple[str, str], pa.Schema] = {
        (each.dataset, each.name): schema_of(Envelope, each.contract) for each in RESOURCES
    }
    projected: list[tuple[str, dict[str, Table]]] = [
        ("raw_gate", GATE),
        ("raw_gate_events", GATE),
        ("raw_ledger", LEDGER),
    ]
    for dataset, own in projected:
        tables |= {(dataset, name): schema_of_table(table) for name, table in own.items()}
    tables["raw_ledger", "connections"] = CONNECTIONS
    tables |= {(dataset, "_dlt_loads"): _LOADS for dataset in {each[0] for each in tables}}
    with open_warehouse(settings, "raw tables") as warehouse:
        for (dataset, name), schema in tables.items():
            _create(warehouse, dataset, name, schema)
            _widen(warehouse, dataset, name, schema)
        warehouse.execute("CHECKPOINT")


def replay(settings: Settings, engine: Engine) -> None:
    """Fill an empty warehouse from landing and state: the same rows, the same cursors."""
    batches = sorted(landed(settings), key=_pipeline)
    log.warning("the warehouse is new: replaying %d landed batches", len(batches))
    for (connection, kind, is_inbox), own in groupby(batches, key=_pipeline):
        loader = Loader(settings, connection, kind, is_inbox=is_inbox)
        loader.load(sorted(own, key=lambda each: each.path.name))
    project_gate(settings, engine)
    project_ledger(settings, engine)


def _pipeline(batch: Batch) -> tuple[str, str, bool]:
    """What a batch was loaded by: connection, kind, and whether it came by itself."""
    return batch.connection, batch.kind, batch.stream == INBOX


def _set_aside_if_damaged(settings: Settings) -> None:
    if settings.warehouse.exists():
        damage = _damage(settings)
        if damage is None:
            return
        aside = settings.warehouse.with_suffix(f".damaged-{utc_now():%Y%m%dT%H%M%S}")
        settings.warehouse.rename(aside)
        log.error("the warehouse is damaged and was set aside as %s: %s", aside.name, damage)
    # The log of a file that is gone belongs to no new one.
    for suffix in (".wal", ".wal.checkpoint", ".wal.recovery"):
        wal = settings.warehouse.with_name(settings.warehouse.name + suffix)
        if wal.exists():
            wal.rename(wal.with_name(f"{wal.name}.damaged-{utc_now():%Y%m%dT%H%M%S}"))


def _damage(settings: Settings) -> str | None:
    """What is wrong with the file, None when nothing is. WaybillError when that cannot be told."""
    try:
        with open_warehouse(settings, "open check") as warehouse:
            return gap(settings, warehouse)
    except DiskFull:
        raise  # a sound file, which there is no room to open
    except WaybillError as error:
        if _HELD in error.message:
            raise
        return error.message


def _create(warehouse: duckdb.DuckDBPyConnection, dataset: str, name: str, schema: pa.Schema) -> None:
    """One empty table with the types that dlt would give it from the same Arrow schema."""
    if table_exists(warehouse, dataset, name):
        return
    warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS {dataset}")
    fields = [*schema, *([] if name.startswith("_dlt") else _DLT)]
    columns = ", ".join(
        f'"{each.name}" {_duckdb_type(each.type)}{"" if each.nullable else " NOT NULL"}' for each in fields
    )
    warehouse.execute(f'CREATE TABLE {dataset}."{name}" ({columns})')


def _widen(warehouse: duckdb.DuckDBPyConnection, dataset: str, name: str, schema: pa.Schema) -> None:
    """Columns that a contract has gained since the table was made; older rows have none of them."""
    there = warehouse.execute(f'SELECT * FROM {dataset}."{name}" LIMIT 0').description or []
    known = {each[0] for each in there}
    for field in schema:
        if field.name not in known:
            kind = _duckdb_type(field.type)
            warehouse.execute(f'ALTER TABLE {dataset}."{name}" ADD COLUMN "{field.name}" {kind}')


def _duckdb_type(arrow_type: pa.DataType) -> str:
    if pa.types.is_decimal(arrow_type):
        return f"DECIMAL({arrow_type.precision}, {arrow_type.scale})"
    names = {
        pa.string(): "VARCHAR",
        pa.bool_(): "BOOLEAN",
        pa.int64(): "BIGINT",
        pa.float64(): "DOUBLE",
        pa.date32(): "DATE",
        INSTANT: "TIMESTAMP WITH TIME ZONE",
    }
    return names[arrow_type]
