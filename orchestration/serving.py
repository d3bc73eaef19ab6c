"""The serving copy: the marts in a file of their own, replaced whole after a complete run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from core.settings import Settings
from core.warehouse import open_warehouse
from orchestration.dbt_manifest import asset_key, nodes_tagged
from orchestration.platform import Platform

SERVING = dg.AssetKey(["serving", "marts"])


def publish(settings: Settings) -> int:
    """Write the marts beside the old copy and rename over it; the number of tables published.

    ``COPY FROM DATABASE`` of the schema keeps comments and keys, which CREATE TABLE AS loses; the storage
    version is one that every DuckDB since 1.1 reads. Readers of the old file keep it until they close it.
    """
    target = settings.serving
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".new")
    for leftover in (fresh, fresh.with_suffix(".new.wal")):
        leftover.unlink(missing_ok=True)
    with open_warehouse(settings, "publish") as warehouse:
        name = _one(warehouse, "SELECT current_database()")
        warehouse.execute(f"ATTACH '{fresh}' AS serving (STORAGE_VERSION 'v1.0.0')")
        tables = _copy(warehouse, str(name))
        warehouse.execute("CHECKPOINT serving")
        warehouse.execute("DETACH serving")
    _sync(fresh)
    fresh.replace(target)
    return tables


def _copy(warehouse: duckdb.DuckDBPyConnection, source: str) -> int:
    """Copy the whole schema empty, keep ``marts``, fill it."""
    warehouse.execute(f'COPY FROM DATABASE "{source}" TO serving (SCHEMA)')
    schemas = warehouse.execute(
        "SELECT DISTINCT schema_name FROM duckdb_schemas() "
        "WHERE database_name = 'serving' AND NOT internal AND schema_name NOT IN ('main', 'marts')"
    ).fetchall()
    for (schema,) in schemas:
        warehouse.execute(f'DROP SCHEMA serving."{schema}" CASCADE')
    tables = warehouse.execute(
        "SELECT table_name FROM duckdb_tables() "
        "WHERE database_name = 'serving' AND schema_name = 'marts' ORDER BY table_name"
    ).fetchall()
    for (table,) in tables:
        warehouse.execute(f'INSERT INTO serving.marts."{table}" SELECT * FROM "{source}".marts."{table}"')
    return len(tables)


def _one(warehouse: duckdb.DuckDBPyConnection, sql: str) -> object:
    row = warehouse.execute(sql).fetchone()
    return row[0] if row else None


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        import os

        os.fsync(file.fileno())


def serving_assets(manifest: dict[str, Any]) -> dg.AssetsDefinition:
    """The published copy as an asset behind every mart."""

    @dg.multi_asset(
        name="serving",
        specs=[
            dg.AssetSpec(
                key=SERVING,
                deps=[
                    asset_key(node)
                    for node in nodes_tagged(manifest, "after_push")
                    if node["schema"] == "marts"
                ],
                description="The marts in a DuckDB file of their own, for analysts, the page and the CLI.",
                group_name="serving",
                owners=["team:data-platform"],
                kinds={"duckdb"},
            )
        ],
        required_resource_keys={"platform"},
    )
    def _serving(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        platform: Platform = context.resources.platform
        tables = publish(platform.settings)
        yield dg.MaterializeResult(
            asset_key=SERVING,
            metadata={
                "dagster/row_count": tables,
                "path": dg.MetadataValue.path(str(platform.settings.serving)),
            },
        )

    return _serving
