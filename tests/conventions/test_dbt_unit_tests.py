"""A published model shows its edges in dbt unit tests, each named after what it shows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.manifest import project_manifest

Node = dict[str, Any]
NO_EDGE = {
    "kpi_facts": "a union of the models of each topic, which have their own",
    "dim_metrics": "what the models say of their metrics: tests/integration/dbt_core/test_definitions_are_published.py",
    "fct_integration_messages": "the columns of canonical_integration_messages as they are",
    "dim_partners": "the columns of canonical_partners as they are",
    "dim_entity_xref": "the columns of canonical_entity_xref, and whether one is empty",
    **dict.fromkeys(
        (
            "dim_carriers",
            "dim_companies",
            "dim_customers",
            "dim_depots",
            "dim_drivers",
            "dim_locations",
            "dim_vehicles",
        ),
        "written by the macro golden_records alone, whose edges dim_cost_centres shows",
    ),
}
"""Published models that decide nothing themselves, and why."""

ROWS_OF_STAGING = {
    "canonical_carriers", "canonical_companies", "canonical_cost_centres", "canonical_customers", "canonical_drivers",
    "canonical_freight_charges", "canonical_gate_decisions", "canonical_items", "canonical_locations", "canonical_maintenance_orders", "canonical_orders", "canonical_positions",
    "canonical_receipts", "canonical_tax_codes", "canonical_trips", "canonical_vehicle_events", "canonical_vehicles",
}  # fmt: skip
"""Canonical models that put a key on the current rows of one source. What is late, doubled or out of order is settled
before them: tests/integration/properties."""
UNION_OF_STEPS = {"canonical_integration_messages"}
"""Of two private steps, which have unit tests of their own."""


@pytest.fixture(scope="module")
def manifest() -> Node:
    return project_manifest()


def without_unit_test(manifest: Node) -> set[str]:
    tested = {each["model"] for each in manifest["unit_tests"].values()}
    return {
        node["name"]
        for node in manifest["nodes"].values()
        if node.get("access") == "public" and node["name"] not in tested
    }


def untested_objects(manifest: Node) -> dict[str, Node]:
    tested = {each["model"] for each in manifest["unit_tests"].values()}
    return {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and node["name"].startswith("canonical_")
        and node["name"] not in tested
    }


def says_an_edge(name: str, model: str) -> bool:
    """A sentence of its own, and not "test_<model>" or a number."""
    words = name.split("_")
    return len(words) >= 4 and words[0] != "test" and not words[-1].isdigit() and model not in name


def test_every_published_model_has_a_unit_test(manifest: Node) -> None:
    assert without_unit_test(manifest) == set(NO_EDGE)


def test_every_canonical_model_that_decides_something_has_a_unit_test(manifest: Node) -> None:
    untested = untested_objects(manifest)
    assert {*untested} == ROWS_OF_STAGING | UNION_OF_STEPS
    for name in ROWS_OF_STAGING:
        code = untested[name]["raw_code"].lower()
        assert code.count("{{ ref(") == 1 and "ref('stg_" in code, name
        assert not any(word in code for word in (" join ", "group by", "case ", " over ")), name


def test_every_unit_test_is_named_after_its_edge(manifest: Node) -> None:
    tests = manifest["unit_tests"].values()
    assert [each["name"] for each in tests if not says_an_edge(each["name"], each["model"])] == []


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("tax_rounds_once_per_rate_not_per_line", True),
        ("a_day_has_23_24_or_25_hours", True),
        ("fct_stops_works_as_it_should", False),
        ("test_that_tax_is_rounded", False),
        ("tax_is_rounded_2", False),
        ("tax_rounds", False),
    ],
)
def test_which_names_say_an_edge(name: str, good: bool) -> None:
    assert says_an_edge(name, "fct_stops") is good


def test_a_published_model_without_a_unit_test_is_told() -> None:
    nodes = {
        "a": {"name": "fct_a", "access": "public"},
        "b": {"name": "fct_b", "access": "public"},
        "c": {"name": "int_c", "access": "private"},
    }
    assert without_unit_test({"nodes": nodes, "unit_tests": {"t": {"model": "fct_a"}}}) == {"fct_b"}
