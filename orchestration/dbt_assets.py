"""The three dbt assets over one manifest: before the gate, outbound, after the push."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from core.warehouse import open_warehouse
from orchestration.column_metadata import lineage_entry, read_catalogue, schema_entry, trace
from orchestration.column_origins import described
from orchestration.dbt_builds import builds_on, definitions
from orchestration.dbt_manifest import asset_key, asset_specs, check_specs, data_tests, nodes_tagged
from orchestration.dbt_parts import parts_of
from orchestration.dbt_runner import GOOD, NodeResult, build
from orchestration.platform import Platform

_PARTS = 4
"""In how many parts a selection is built while a worker waits for its turns: one part is what an event waits for at most."""


def dbt_assets(manifest: dict[str, Any], tag: str) -> dg.AssetsDefinition:
    """One multi-asset that builds every model tagged ``tag`` and reports its tests as asset checks."""

    @dg.multi_asset(
        name=tag,
        specs=asset_specs(manifest, tag),
        check_specs=check_specs(manifest, tag),
        required_resource_keys={"platform"},
    )
    def _build(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        platform: Platform = context.resources.platform
        parts = parts_of(manifest, tag, _PARTS) if platform.settings.worker_note.exists() else None
        results = build(platform.settings, tag, run_variables(platform), parts)
        by_id = {each.unique_id: each for each in results}
        yield from _check_results(manifest, tag, by_id)
        _raise_if_failed(tag, results)
        yield from _materializations(platform, manifest, tag, by_id)

    return _build


def build_or_fail(platform: Platform, tag: str) -> None:
    """The same outside of Dagster's graph: build everything tagged ``tag``, dg.Failure when a node failed."""
    _raise_if_failed(tag, build(platform.settings, tag, run_variables(platform)))
    with open_warehouse(platform.settings, f"checkpoint {tag}") as warehouse:
        warehouse.execute("CHECKPOINT")


def run_variables(platform: Platform) -> dict[str, str | None]:
    """``as_of``: the sources' own now; ``go_live_at``: since when invoices are Waybill's; ``builds_on``: the instant of
    the complete build that this run goes on from, or None; ``definitions``: what that was and is told by."""
    from state.observations import business_now

    go_live = next(
        (
            each.destination.go_live_at
            for each in platform.destinations
            if each.destination and each.destination.go_live_at
        ),
        None,
    )
    as_of, today = business_now(platform.engine), definitions(go_live)
    before = builds_on(platform.settings, today, as_of)
    return {
        "as_of": as_of.isoformat(),
        "go_live_at": go_live.isoformat() if go_live else None,
        "builds_on": before.isoformat() if before else None,
        "definitions": today,
    }


def _check_results(
    manifest: dict[str, Any], tag: str, results: dict[str, NodeResult]
) -> Iterator[dg.AssetCheckResult]:
    keys = {node["unique_id"]: asset_key(node) for node in nodes_tagged(manifest, tag)}
    for test in data_tests(manifest):
        if test["attached_node"] not in keys:
            continue
        found = results.get(test["unique_id"])
        warn_only = test["config"]["severity"].lower() == "warn"
        yield dg.AssetCheckResult(
            asset_key=keys[test["attached_node"]],
            check_name=test["name"],
            passed=found is not None and found.status == "pass",
            severity=dg.AssetCheckSeverity.WARN if warn_only else dg.AssetCheckSeverity.ERROR,
            metadata={
                "status": found.status if found else "not run",
                "failing rows": found.failures if found else 0,
            },
        )


def _raise_if_failed(tag: str, results: list[NodeResult]) -> None:
    """Stop the batch: nothing may be billed on models that failed or whose structural tests failed."""
    bad = [each for each in results if each.status not in GOOD]
    if bad:
        told = "; ".join(
            f"{each.unique_id.split('.')[2]}: {each.status}: {' '.join(each.message.split())[:300]}"
            for each in bad[:5]
        )
        raise dg.Failure(f"{len(bad)} dbt node(s) of {tag} failed: {told}", allow_retries=False)


def _materializations(
    platform: Platform, manifest: dict[str, Any], tag: str, results: dict[str, NodeResult]
) -> Iterator[dg.MaterializeResult[None]]:
    # dbt finishes parents first, and Dagster wants to hear of them first.
    finished = {unique_id: number for number, unique_id in enumerate(results)}
    nodes = sorted(nodes_tagged(manifest, tag), key=lambda node: finished[node["unique_id"]])
    with open_warehouse(platform.settings, f"row counts {tag}") as warehouse:
        # dbt leaves DDL in the WAL, which this DuckDB may not read back after a hard exit.
        warehouse.execute("CHECKPOINT")
        catalogue = read_catalogue(warehouse)
        counts = {
            node["unique_id"]: warehouse.execute(
                f'SELECT count(*) FROM "{node["schema"]}"."{node["alias"]}"'
            ).fetchone()
            for node in nodes
        }
    compiled = {each.unique_id: each.compiled for each in results.values() if each.compiled}
    lineage = trace(platform.settings, manifest, tag, compiled, catalogue)
    for node in nodes:
        count, traced = counts[node["unique_id"]], lineage.get(node["unique_id"])
        types = catalogue[node["schema"]][node["alias"]]
        behind = traced["columns"] if traced else {}
        descriptions = {
            name: described(node["columns"].get(name, {}).get("description"), behind.get(name, ()))
            for name in types
        }
        metadata: dict[str, Any] = {
            "dagster/row_count": count[0] if count else 0,
            "dagster/table_name": f"{node['schema']}.{node['alias']}",
            "dagster/column_schema": schema_entry(types, descriptions),
            "seconds": round(results[node["unique_id"]].seconds, 3),
        }
        if traced:
            metadata["dagster/column_lineage"] = lineage_entry(traced["columns"])
        yield dg.MaterializeResult(asset_key=asset_key(node), metadata=metadata)
