"""An amount in the payload that the ERP gets leads back to the source's own columns, in what Dagster shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

Column = tuple[str, str, str]
PAYLOAD = ("erp", "invoices")


@pytest.fixture(scope="module")
def metadata(first: dict[str, Any], home: Path) -> dict[tuple[str, ...], dict[str, Any]]:
    """Asset key → the metadata of its newest materialisation."""
    assert first
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", str(home / "dagster"))
        with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
            events = map(instance.get_latest_materialization_event, instance.all_asset_keys())
            made = [each.asset_materialization for each in events if each and each.asset_materialization]
    return {tuple(each.asset_key.path): dict(each.metadata) for each in made}


def lineage(metadata: dict[tuple[str, ...], dict[str, Any]], key: tuple[str, ...]) -> dict[str, list[Column]]:
    entry = metadata.get(key, {}).get("dagster/column_lineage")
    if entry is None:
        return {}
    return {
        name: [(*dep.asset_key.path, dep.column_name) for dep in deps]
        for name, deps in entry.value.deps_by_column.items()
    }


def ways_back(metadata: dict[tuple[str, ...], dict[str, Any]], column: Column) -> set[Column]:
    """Every column that stands behind one, however far back."""
    seen: set[Column] = set()
    waiting = [column]
    while waiting:
        schema, relation, name = waiting.pop()
        for each in lineage(metadata, (schema, relation)).get(name, []):
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return seen


def test_the_grand_total_leads_back_to_the_price_on_the_order(
    metadata: dict[tuple[str, ...], dict[str, Any]],
) -> None:
    behind = ways_back(metadata, (*PAYLOAD, "grand_total_amount"))
    assert {
        ("outbound", "outbound_erp__invoices", "grand_total_amount"),
        ("candidates", "invoice_candidates", "grand_total_amount"),
        ("canonical", "canonical_order_lines", "unit_price_amount"),
        ("staging", "stg_erp__order_lines", "unit_price_amount"),
        ("raw_erp", "order_lines", "unit_price_amount"),
        ("raw_pod", "delivered_lines", "quantity"),
    } <= behind
    assert ("raw_erp", "orders", "grand_total_amount") not in behind, (
        "what the order says is not what is billed"
    )


def test_the_whole_way_stands_beside_each_field_of_the_payload(
    metadata: dict[tuple[str, ...], dict[str, Any]],
) -> None:
    shown = {
        each.name: each.description or "" for each in metadata[PAYLOAD]["dagster/column_schema"].value.columns
    }
    assert "← outbound.outbound_erp__invoices.po_no\n" in shown["po_no"]
    assert "raw_erp.orders.po_no" in shown["po_no"]
    assert "raw_erp.order_lines.unit_price_amount" in shown["lines.net_price"]
    assert "raw_pod.delivered_lines" not in shown["lines.net_price"]


def test_a_line_s_price_does_not_come_from_its_quantity(
    metadata: dict[tuple[str, ...], dict[str, Any]],
) -> None:
    own = lineage(metadata, PAYLOAD)["lines.net_price"]
    assert ("candidates", "int_candidate_lines", "net_price_amount") in own
    assert ("outbound", "outbound_erp__invoices", "lines_json") in own
    behind = ways_back(metadata, ("candidates", "int_candidate_lines", "net_price_amount"))
    assert ("raw_erp", "order_lines", "unit_price_amount") in behind
    assert ("raw_pod", "delivered_lines", "quantity") not in behind


def test_every_relation_shows_its_columns_and_every_model_what_is_behind_them(
    metadata: dict[tuple[str, ...], dict[str, Any]],
) -> None:
    models = {
        key for key in metadata if key[0] in {"staging", "canonical", "candidates", "outbound", "marts"}
    }
    seeds = {key for key in models if "dagster/column_lineage" not in metadata[key]}
    assert {key[1] for key in seeds} <= {
        path.stem for path in (Path(__file__).parents[2] / "dbt_project" / "seeds").glob("*.csv")
    }
    for key in models:
        shown = {each.name for each in metadata[key]["dagster/column_schema"].value.columns}
        assert key in seeds or shown == set(lineage(metadata, key)), key


def test_what_is_behind_a_column_is_there(metadata: dict[tuple[str, ...], dict[str, Any]]) -> None:
    shown = {
        (*key, each.name)
        for key, entries in metadata.items()
        if "dagster/column_schema" in entries
        for each in entries["dagster/column_schema"].value.columns
    }
    dangling = {
        dep
        for key in metadata
        for deps in lineage(metadata, key).values()
        for dep in deps
        # A kind of source that no connection feeds has no asset.
        if dep not in shown and (dep[:2] in metadata or not dep[0].startswith("raw_"))
    }
    assert dangling == set()
