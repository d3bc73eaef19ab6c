"""The stages that ``benchmarks.build`` runs as processes of their own; each prints what it measured itself as JSON."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import duckdb

from core.settings import Settings
from orchestration.serving import publish
from tests.support.warehouse import run_dbt

_TAGS = ("tag:before_gate", "tag:outbound", "tag:after_push")
_QUERY = """
    SELECT period_start, value, n FROM marts.kpi_values
    WHERE metric = 'pod_to_invoice_s' AND variant = 'default' AND grain = 'month' AND dimension = 'all'
    ORDER BY period_start
"""
_SQL = "statements.json"


def build(warehouse: str, as_of: str, builds_on: str | None = None) -> dict[str, Any]:
    """dbt builds everything, or what came in since the complete build of ``builds_on``; the statements of its models
    are left beside the warehouse in their order."""
    path = Path(warehouse)
    result = run_dbt(
        path, "build", "--select", *_TAGS, "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test",
        as_of=as_of, builds_on=builds_on,
    )  # fmt: skip
    if not result.success:
        raise SystemExit(
            str(result.exception or [each.message for each in result.result if each.status == "error"])
        )
    models = [each.node for each in result.result if each.node.resource_type == "model"]
    statements = [
        [
            "VIEW" if node.config.materialized == "view" else "TABLE",
            f"{node.schema}.{node.alias}",
            node.compiled_code,
        ]
        for node in models
    ]
    (path.parent / _SQL).write_text(json.dumps(statements))
    slowest = sorted(result.result, key=lambda each: -each.execution_time)[:60]
    return {"slowest_s": {each.node.name: round(each.execution_time, 2) for each in slowest}}


def script(warehouse: str, built: str) -> dict[str, Any]:
    """The same statements over the same raw tables, one after the other."""
    statements = json.loads((Path(built).parent / _SQL).read_text())
    with duckdb.connect(warehouse) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{built}' AS built (READ_ONLY)")
        seeds = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'built' AND schema_name = 'canonical' "
            "AND table_name NOT LIKE 'canonical%' AND table_name NOT LIKE 'int\\_%' ESCAPE '\\'"
        ).fetchall()
        for schema in sorted({name.split(".")[0] for _, name, _ in statements} | {"canonical"}):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for (seed,) in seeds:
            connection.execute(f"CREATE TABLE canonical.{seed} AS FROM built.canonical.{seed}")
        connection.execute("DETACH built")
        for kind, name, sql in statements:
            connection.execute(f"CREATE {kind} {name} AS {sql}")
    return {}


def query(warehouse: str) -> dict[str, Any]:
    """One KPI query on the serving copy of the marts, each time as a reader of its own."""
    settings = Settings(home=Path(warehouse).parent)
    publish(settings)
    times = []
    for _ in range(50):
        started = time.perf_counter()
        with duckdb.connect(str(settings.serving), read_only=True) as connection:
            rows = connection.execute(_QUERY).fetchall()
        times.append((time.perf_counter() - started) * 1000)
    settings.serving.unlink()
    return {"median_ms": round(statistics.median(times), 2), "rows": len(rows)}


STAGES = {"build": build, "script": script, "query": query}


if __name__ == "__main__":
    print(json.dumps(STAGES[sys.argv[1]](*sys.argv[2:])))
