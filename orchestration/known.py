"""The marts as they were known at an instant: what had come in by then, through the models of today.

Two times belong to every row: when it happened, and when we knew. The first lies in the rows; the second is cut
here, at the raw tables, where every version is kept with the instant at which it came in. Everything above them is
computed again, in a warehouse of its own beside the installation's.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from core.errors import WaybillError
from core.settings import Settings
from core.warehouse import open_warehouse, writer_lock
from ingestion.run import ensure_raw_tables
from orchestration.dbt_assets import run_variables
from orchestration.dbt_runner import rebuild
from orchestration.platform import Platform
from orchestration.serving import publish
from state.observations import machine_time

_KNOWN = {
    "decisions": "decided_at <= $as_of",
    "dead_letters": "received_at <= $as_of",
    "outbox": "enqueued_at <= $known_at",
    "push_attempts": "started_at <= $known_at",
    "receipts": "read_back_at <= $known_at",
    "ingest_counts": "counted_at <= $known_at",
    "observations": "observed_at <= $known_at",
    "entries": "recorded_at <= $known_at",
}
"""Which rows of Waybill's own state were there; ``as_of`` is by the sources' clock, ``known_at`` by ours."""

_THEN = {
    "outbox": """
        CASE WHEN updated_at <= $known_at THEN state
            WHEN idempotency_key IN (
                SELECT idempotency_key FROM everything.raw_ledger.receipts WHERE read_back_at <= $known_at
            ) THEN 'ACKED'
            ELSE 'READY' END AS state,
        least(updated_at, $known_at) AS updated_at""",
    "push_attempts": """
        CASE WHEN ended_at <= $known_at THEN ended_at END AS ended_at,
        CASE WHEN ended_at <= $known_at THEN outcome END AS outcome,
        CASE WHEN ended_at <= $known_at THEN http_status END AS http_status,
        CASE WHEN ended_at <= $known_at THEN detail END AS detail,
        CASE WHEN ended_at <= $known_at THEN erp_id END AS erp_id""",
    "dead_letters": "CASE WHEN decided_at > $known_at THEN 'open' ELSE status END AS status",
}
"""What such rows said then, where they have changed since."""


def marts_as_known(settings: Settings, as_of: datetime) -> Settings:
    """The settings of a home whose serving copy holds the marts of that instant, built when asked for first.

    ``as_of`` is the instant that stands beside every published number; rows that came in later do not count.
    """
    then = settings.model_copy(update={"home": settings.root / "known" / f"{as_of:%Y%m%dT%H%M%S.%fZ}"})
    if then.serving.exists():
        return then
    platform = Platform(settings)
    ensure_raw_tables(settings)  # a state store that has grown since the last run has columns that they lack
    then.warehouse.unlink(missing_ok=True)
    cut(settings, then, as_of, machine_time(platform.engine, as_of))
    bad = rebuild(then, run_variables(platform) | {"as_of": as_of.isoformat(), "builds_on": None})
    if bad:
        raise WaybillError(
            f"The marts of {as_of} were not built: {bad[0].unique_id}: {bad[0].message[:300]}",
            remedy="Run `waybill run` to see whether today's are.",
        )
    publish(then)
    return then


def cut(settings: Settings, then: Settings, as_of: datetime, known_at: datetime) -> None:
    """Copy the raw tables into ``then``'s new warehouse, without what came in after ``known_at``."""
    times = {"as_of": as_of, "known_at": known_at}
    # Nobody may write the one while it is read; a file that another process holds cannot be attached.
    with writer_lock(settings, "as known"), open_warehouse(then, "as known") as warehouse:
        warehouse.execute(f"ATTACH '{settings.warehouse}' AS everything (READ_ONLY)")
        tables = warehouse.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'everything' "
            "AND schema_name LIKE 'raw\\_%' ESCAPE '\\' AND NOT schema_name LIKE '%\\_staging' ESCAPE '\\' "
            # What the worker judged last is in the decisions too.
            "AND schema_name <> 'raw_gate_events' "
            "AND (table_name = '_dlt_loads' OR NOT table_name LIKE '\\_dlt%' ESCAPE '\\')"
        ).fetchall()
        for schema, table in tables:
            _copy(warehouse, schema, table, times)
        warehouse.execute("DETACH everything")
        warehouse.execute("CHECKPOINT")


def _copy(warehouse: duckdb.DuckDBPyConnection, schema: str, table: str, times: dict[str, datetime]) -> None:
    own = schema in {"raw_gate", "raw_ledger"}
    source = f'everything.{schema}."{table}"'
    warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    if table in {"_dlt_loads", "connections"}:
        warehouse.execute(f'CREATE TABLE {schema}."{table}" AS FROM {source}')
        return
    known = _KNOWN[table] if own else "ingested_at <= $known_at"
    replaced = _THEN.get(table) if own else None
    used = {name: at for name, at in times.items() if f"${name}" in f"{known} {replaced}"}
    columns = f"* REPLACE ({replaced})" if replaced else "*"
    warehouse.execute(
        f'CREATE TABLE {schema}."{table}" AS SELECT {columns} FROM {source} WHERE {known}', used
    )
