"""What Dagster shows of columns: their types and descriptions, and which columns stand behind each.

Belongs here: the two metadata entries of a built relation, and the traced lineage kept beside dbt's manifest
so that only a change of a model or macro makes it be traced again; a new home takes what another has traced of the same
models and relations. Reading SQL is ``sql_lineage``'s.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb

from core.settings import Settings
from orchestration import project_cache

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot.schema import Schema

log = logging.getLogger("waybill.lineage")

Behind = dict[str, list[list[str]]]
"""Column → the ``[schema, relation, column]`` behind it."""
Lineage = dict[str, dict[str, Any]]
"""dbt's id of a model → ``columns`` (a ``Behind``) and ``json`` (column → key → what is behind the key)."""
Catalogue = dict[str, dict[str, dict[str, str]]]


def read_catalogue(warehouse: duckdb.DuckDBPyConnection) -> Catalogue:
    """Schema → relation → column → type of everything in the warehouse, columns in their order."""
    found: Catalogue = {}
    for schema, relation, column, data_type in warehouse.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND NOT internal "
        "ORDER BY schema_name, table_name, column_index"
    ).fetchall():
        found.setdefault(schema, {}).setdefault(relation, {})[column] = data_type
    return found


def trace(
    settings: Settings,
    manifest: Mapping[str, Any],
    tag: str,
    compiled: Mapping[str, str],
    catalogue: Catalogue,
) -> Lineage:
    """The lineage of every compiled model of a selection; read from the file where nothing changed."""
    path, checksum = _path(settings, tag), _checksum(manifest, compiled)
    kind, made_of = f"lineage_{tag}", checksum + json.dumps(catalogue)
    project_cache.fetch(path, kind, made_of)
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["checksum"] == checksum:
            lineage: Lineage = kept["lineage"]
            return lineage
    lineage = _traced_all(manifest, compiled, catalogue)
    path.write_text(json.dumps({"checksum": checksum, "lineage": lineage}), encoding="utf-8")
    project_cache.keep(path, kind, made_of)
    return lineage


def kept_lineage(settings: Settings, tag: str) -> Lineage:
    """The lineage of a selection as it was last traced; empty before its first build."""
    path = _path(settings, tag)
    lineage: Lineage = json.loads(path.read_text(encoding="utf-8"))["lineage"] if path.exists() else {}
    return lineage


def schema_entry(
    types: Mapping[str, str], descriptions: Mapping[str, str | None]
) -> dg.TableSchemaMetadataValue:
    """Columns with type and description, for ``dagster/column_schema``."""
    return dg.MetadataValue.table_schema(
        dg.TableSchema(
            [
                dg.TableColumn(name, data_type, description=descriptions.get(name))
                for name, data_type in types.items()
            ]
        )
    )


def arrow_entry(schema: pa.Schema, contract: str | None = None) -> dg.TableSchemaMetadataValue:
    """The columns of a raw table; where a contract fills it, each says which field of it."""
    return dg.MetadataValue.table_schema(
        dg.TableSchema(
            [
                dg.TableColumn(
                    field.name, str(field.type), description=f"{contract}.{field.name}" if contract else None
                )
                for field in schema
            ]
            # How dlt tells loads and rows apart; staging reads rows of complete loads.
            + [dg.TableColumn(name, "string") for name in ("_dlt_load_id", "_dlt_id")]
        )
    )


def lineage_entry(behind: Mapping[str, Iterable[Iterable[str]]]) -> dg.TableColumnLineageMetadataValue:
    """What stands behind each column, for ``dagster/column_lineage``."""
    return dg.MetadataValue.column_lineage(
        dg.TableColumnLineage(
            {
                name: [
                    dg.TableColumnDep(dg.AssetKey([schema, relation]), column)
                    for schema, relation, column in columns
                ]
                for name, columns in behind.items()
            }
        )
    )


def _traced_all(manifest: Mapping[str, Any], compiled: Mapping[str, str], catalogue: Catalogue) -> Lineage:
    from orchestration.sql_lineage import schema_of

    schema = schema_of(catalogue)
    return {
        unique_id: traced
        for unique_id, sql in compiled.items()
        if (traced := _traced(unique_id, sql, manifest["nodes"][unique_id], schema))
    }


def _traced(unique_id: str, sql: str, node: Mapping[str, Any], schema: Schema) -> dict[str, Any] | None:
    from sqlglot.errors import SqlglotError

    from orchestration.sql_lineage import QueryLineage

    try:
        query = QueryLineage(sql, schema)
    except SqlglotError as error:
        log.warning("%s: no lineage: %s", unique_id, error)
        return None
    own = (node["schema"], node["alias"])
    behind: Behind = {
        # What an incremental model reads of itself is no source.
        name: [list(each) for each in columns if (each.schema, each.relation) != own]
        for name, columns in query.columns().items()
    }
    return {"columns": behind, "json": query.json_keys()}


def _path(settings: Settings, tag: str) -> Path:
    return settings.dbt_target / f"column_lineage.{tag}.json"


def _checksum(manifest: Mapping[str, Any], compiled: Mapping[str, str]) -> str:
    """Over the text of the models and of every macro: what the compiled SQL follows from, but for the time."""
    digest = hashlib.sha256()
    for unique_id in sorted(compiled):
        digest.update(f"{unique_id} {manifest['nodes'][unique_id]['checksum']['checksum']}\n".encode())
    for unique_id in sorted(manifest["macros"]):
        if unique_id.startswith("macro.waybill."):
            digest.update(manifest["macros"][unique_id]["macro_sql"].encode())
    return digest.hexdigest()
