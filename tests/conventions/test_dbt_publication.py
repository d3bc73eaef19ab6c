"""What dbt's users rely on: who may read a model, who answers for it, and that a published one keeps its word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.manifest import project_manifest

Node = dict[str, Any]
PUBLISHED = ("marts", "outbound")
CANONICAL = ("canonical", "canonical_ledger")


@pytest.fixture(scope="module")
def manifest() -> Node:
    return project_manifest()


def models(manifest: Node) -> Iterator[Node]:
    return (node for node in manifest["nodes"].values() if node["resource_type"] == "model")


def layer(node: Node) -> str:
    return Path(node["original_file_path"]).parts[1]


def is_step(node: Node) -> bool:
    return "intermediate" in Path(node["original_file_path"]).parts


def without_contract(node: Node) -> list[str]:
    """What a model lacks of an enforced contract: `contract` itself, and each column that has no type."""
    untyped = [name for name, column in node["columns"].items() if not column["data_type"]]
    return untyped if node["contract"]["enforced"] else ["contract", *untyped]


def canonical_without_contract(nodes: Iterator[Node]) -> dict[str, list[str]]:
    """Canonical model → what it lacks of a contract; its steps (`int_`) need none."""
    return {
        node["name"]: lacking
        for node in nodes
        if layer(node) in CANONICAL
        and node["name"].startswith("canonical_")
        and (lacking := without_contract(node))
    }


def not_published_in_full(nodes: Iterator[Node]) -> dict[str, list[str]]:
    """Published model → what it lacks of contract, version, group, access and its own name in the database."""
    lacking: dict[str, list[str]] = {}
    for node in nodes:
        if layer(node) not in PUBLISHED or is_step(node):
            continue
        has = {
            "contract": not without_contract(node),
            "version": node["version"] is not None and node["latest_version"] is not None,
            "group": bool(node["group"]),
            "access": node["access"] == "public",
            "name": node["alias"] == node["name"] or node["version"] != node["latest_version"],
        }
        if missing := [what for what, there in has.items() if not there]:
            lacking[node["name"]] = missing
    return lacking


def test_marts_and_outbound_have_contract_version_group_and_access(manifest: Node) -> None:
    assert not_published_in_full(models(manifest)) == {}


def test_a_mart_without_version_or_contract_is_told() -> None:
    whole: Node = {
        "name": "fct_x", "alias": "fct_x", "original_file_path": "models/marts/fct_x.sql",
        "contract": {"enforced": True}, "columns": {"a": {"data_type": "varchar"}},
        "version": 1, "latest_version": 1, "group": "analytics", "access": "public",
    }  # fmt: skip
    bare = whole | {"name": "fct_y", "alias": "fct_y", "version": None, "contract": {"enforced": False}}
    step = bare | {"name": "int_y", "original_file_path": "models/marts/intermediate/int_y.sql"}
    assert not_published_in_full(iter([whole, bare, step])) == {"fct_y": ["contract", "version"]}


def test_every_canonical_model_has_an_enforced_contract(manifest: Node) -> None:
    assert canonical_without_contract(models(manifest)) == {}


def test_a_canonical_model_without_contract_or_type_is_told() -> None:
    whole: Node = {
        "name": "canonical_a", "original_file_path": "models/canonical/canonical_a.sql",
        "contract": {"enforced": True}, "columns": {"a": {"data_type": "varchar"}},
    }  # fmt: skip
    unenforced = whole | {"name": "canonical_b", "contract": {"enforced": False}}
    untyped = whole | {
        "name": "canonical_c", "original_file_path": "models/canonical_ledger/canonical_c.sql",
        "columns": whole["columns"] | {"b": {"data_type": None}},
    }  # fmt: skip
    step = unenforced | {"name": "int_a", "original_file_path": "models/canonical/int_a.sql"}
    mart = unenforced | {"name": "fct_a", "original_file_path": "models/marts/fct_a.sql"}
    assert canonical_without_contract(iter([whole, unenforced, untyped, step, mart])) == {
        "canonical_b": ["contract"], "canonical_c": ["b"],
    }  # fmt: skip


def test_a_step_of_the_canonical_layer_promises_no_type(manifest: Node) -> None:
    promised = [
        n["name"]
        for n in models(manifest)
        if layer(n) in CANONICAL and n["name"].startswith("int_") and n["contract"]["enforced"]
    ]
    assert promised == []


def test_every_model_belongs_to_a_group_that_has_an_owner(manifest: Node) -> None:
    owners = {group["name"]: group["owner"]["name"] for group in manifest["groups"].values()}
    assert [node["name"] for node in models(manifest) if not owners.get(node["group"])] == []


def test_a_step_is_private_and_a_step_that_another_layer_reads_stands_outside(manifest: Node) -> None:
    readers: dict[str, set[str]] = {}
    for node in models(manifest):
        for parent in node["depends_on"]["nodes"]:
            readers.setdefault(parent, set()).add(node["group"])
    wrong = {}
    for node in models(manifest):
        if not re.match("int_", node["name"]):
            continue
        shared = readers.get(node["unique_id"], set()) - {node["group"]}
        if (node["access"] == "private") == bool(shared):
            wrong[node["name"]] = f"{node['access']}, read by {sorted(shared) or 'its own layer alone'}"
    assert wrong == {}, "move it into its layer's folder intermediate, or out of it"


def test_canonical_is_protected(manifest: Node) -> None:
    assert {n["access"] for n in models(manifest) if layer(n) == "canonical" and not is_step(n)} == {
        "protected"
    }
