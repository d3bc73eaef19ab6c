"""The serving copy: the marts in a file of their own, replaced whole after a complete run."""

import os
from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb

from core.settings import Settings
from core.warehouse import MEMORY_LIMIT, open_warehouse
from orchestration.dbt_manifest import asset_key, nodes_tagged
from orchestration.platform import Platform

SERVING = dg.AssetKey(["serving", "marts"])


def publish(settings: Settings) -> int:
    """Write the marts beside the old copy and rename over it; the number of tables published.

    The tables lie in the file's ``main`` schema: the file's own name is the catalog ``marts``, so that
    ``marts.kpi_values`` reads the same here and in the warehouse (a schema of that name would be ambiguous).
    The storage version is one that every DuckDB since 1.1 reads. Readers of the old file keep it until they
    close it. Its memory is bounded as dbt's is: DuckDB would keep what it has read of a large warehouse.
    """
    target = settings.serving
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".new")
    for leftover in (fresh, fresh.with_suffix(".new.wal")):
        leftover.unlink(missing_ok=True)
    with open_warehouse(settings, "publish") as warehouse:
        warehouse.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        warehouse.execute(f"ATTACH '{fresh}' AS serving (STORAGE_VERSION 'v1.0.0')")
        tables = _copy(warehouse)
        warehouse.execute("CHECKPOINT serving")
        warehouse.execute("DETACH serving")
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(target)
    return tables


def _copy(warehouse: duckdb.DuckDBPyConnection) -> int:
    """Each mart with its keys and comments, which CREATE TABLE AS would lose."""
    tables = warehouse.execute(
        "SELECT table_name, sql, comment FROM duckdb_tables() "
        "WHERE database_name = current_database() AND schema_name = 'marts' ORDER BY table_name"
    ).fetchall()
    for name, sql, comment in tables:
        warehouse.execute(sql.replace("CREATE TABLE marts.", "CREATE TABLE serving.main.", 1))
        warehouse.execute(f'INSERT INTO serving.main."{name}" SELECT * FROM marts."{name}"')
        _comment(warehouse, f'TABLE serving.main."{name}"', comment)
        columns = warehouse.execute(
            "SELECT column_name, comment FROM duckdb_columns() "
            "WHERE database_name = current_database() AND schema_name = 'marts' AND table_name = ?",
            [name],
        ).fetchall()
        for column, said in columns:
            _comment(warehouse, f'COLUMN serving.main."{name}"."{column}"', said)
    return len(tables)


def _comment(warehouse: duckdb.DuckDBPyConnection, what: str, comment: str | None) -> None:
    if comment:
        quoted = comment.replace("'", "''")
        warehouse.execute(f"COMMENT ON {what} IS '{quoted}'")


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
