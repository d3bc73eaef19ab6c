"""The dbt manifest as Dagster sees it: asset keys, dependencies, groups and checks, read from JSON.

Reading the JSON instead of importing dagster-dbt keeps every Dagster process several seconds faster;
dbt itself is imported only when the manifest has to be made anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from core.settings import ROOT, Settings

PROJECT = ROOT / "dbt_project"
_CHECKED = frozenset({"model", "seed"})
_MATERIALIZED = frozenset({"model", "seed"})


def load_manifest(settings: Settings) -> dict[str, Any]:
    """The manifest of the dbt project; parsed anew when missing or older than a file of the project."""
    path = settings.dbt_target / "manifest.json"
    if not path.exists() or path.stat().st_mtime < _newest_source():
        from orchestration.dbt_runner import parse

        parse(settings)
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def _newest_source() -> float:
    suffixes = {".sql", ".yml", ".csv"}
    return max(path.stat().st_mtime for path in PROJECT.rglob("*") if path.suffix in suffixes)


def asset_key(node: dict[str, Any]) -> dg.AssetKey:
    """``[schema, table]``: the same words as dlt's dataset and dbt's source."""
    if node["resource_type"] == "source":
        return dg.AssetKey([node["source_name"], node["name"]])
    return dg.AssetKey([node["schema"], node["alias"]])


def nodes_tagged(manifest: dict[str, Any], tag: str) -> list[dict[str, Any]]:
    """The models and seeds that one dbt selection builds, in a stable order."""
    return sorted(
        (
            node
            for node in manifest["nodes"].values()
            if node["resource_type"] in _MATERIALIZED
            and tag in node["tags"]
            and node["config"]["materialized"] != "ephemeral"
        ),
        key=lambda node: node["unique_id"],
    )


def asset_specs(manifest: dict[str, Any], tag: str) -> list[dg.AssetSpec]:
    """One spec per model and seed of a selection."""
    return [
        dg.AssetSpec(
            key=asset_key(node),
            deps=sorted(set(_parents(manifest, node))),
            description=node["description"] or None,
            group_name=_group(node),
            kinds={"dbt", "duckdb"},
            owners=[f"team:{node['config'].get('meta', {}).get('owner', 'data-platform')}"],
            metadata={"dbt file": node["original_file_path"]},
        )
        for node in nodes_tagged(manifest, tag)
    ]


def check_specs(manifest: dict[str, Any], tag: str) -> list[dg.AssetCheckSpec]:
    """One check per dbt data test whose model is in the selection."""
    keys = {node["unique_id"]: asset_key(node) for node in nodes_tagged(manifest, tag)}
    return [
        dg.AssetCheckSpec(name=test["name"], asset=keys[test["attached_node"]])
        for test in data_tests(manifest)
        if test["attached_node"] in keys
    ]


def data_tests(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Generic data tests that belong to one model, in a stable order."""
    for unique_id in sorted(manifest["nodes"]):
        node = manifest["nodes"][unique_id]
        if node["resource_type"] == "test" and node.get("attached_node"):
            yield node


def _parents(manifest: dict[str, Any], node: dict[str, Any]) -> Iterator[dg.AssetKey]:
    """Keys this node reads, looking through ephemeral models."""
    for unique_id in node["depends_on"].get("nodes", []):
        parent = manifest["nodes"].get(unique_id) or manifest["sources"].get(unique_id)
        if parent is None:
            continue
        if parent["config"].get("materialized") == "ephemeral":
            yield from _parents(manifest, parent)
        else:
            yield asset_key(parent)


def _group(node: dict[str, Any]) -> str:
    """Staging belongs to its source kind, every other layer to itself."""
    folder = Path(node["original_file_path"]).parts
    if "staging" in folder:
        return folder[folder.index("staging") + 1]
    if node["resource_type"] == "seed":
        return "canonical"
    return {"candidates": "gate", "intermediate": "marts"}.get(node["schema"], str(node["schema"]))
