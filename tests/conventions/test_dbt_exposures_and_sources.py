"""Who reads the published models is declared and true, and every source says how old it may grow."""

from __future__ import annotations

import re
from typing import Any

import pytest

from core.flows import FLOWS
from core.settings import ROOT
from tests.support.manifest import project_manifest

Node = dict[str, Any]
RELATION = re.compile(r"\b(?:marts|outbound)\.(\w+)")


@pytest.fixture(scope="module")
def manifest() -> Node:
    return project_manifest()


def relations_in(text: str, published: set[str]) -> set[str]:
    """The published relations that a module's SQL names."""
    return set(RELATION.findall(text)) & published


def published(manifest: Node) -> set[str]:
    return {node["alias"] for node in manifest["nodes"].values() if node.get("access") == "public"}


def reads(manifest: Node, exposure: Node) -> set[str]:
    return {manifest["nodes"][parent]["alias"] for parent in exposure["depends_on"]["nodes"]}


def test_what_an_exposure_depends_on_exists(manifest: Node) -> None:
    known = {*manifest["nodes"], *manifest["sources"]}
    dangling = {
        each["name"]: sorted(set(each["depends_on"]["nodes"]) - known) or "nothing"
        for each in manifest["exposures"].values()
        if not each["depends_on"]["nodes"] or set(each["depends_on"]["nodes"]) - known
    }
    assert dangling == {}


def test_the_code_of_an_exposure_reads_exactly_what_it_declares(manifest: Node) -> None:
    for exposure in manifest["exposures"].values():
        places = [ROOT / each for each in exposure["config"]["meta"].get("code", [])]
        modules = [path for place in places for path in ([place] if place.is_file() else place.rglob("*.py"))]
        found = {
            name
            for path in modules
            for name in relations_in(path.read_text(encoding="utf-8"), published(manifest))
        }
        assert not places or found == reads(manifest, exposure), exposure["name"]


def test_each_flow_sends_what_one_exposure_declares(manifest: Node) -> None:
    sent = {
        exposure["config"]["meta"]["flow"]: reads(manifest, exposure)
        for exposure in manifest["exposures"].values()
        if "flow" in exposure["config"]["meta"]
    }
    assert sent == {flow.operation: {flow.outbound} for flow in FLOWS}


def test_a_relation_is_told_from_a_method_of_that_name() -> None:
    text = "marts.select('x'); 'FROM marts.fct_x JOIN outbound.y'"
    assert relations_in(text, {"fct_x", "y", "z"}) == {"fct_x", "y"}


def test_every_published_model_has_a_reader(manifest: Node) -> None:
    read = {name for each in manifest["exposures"].values() for name in reads(manifest, each)}
    assert published(manifest) - read == set(), (
        "name it in models/_exposures.yml (waybill_query has every mart)"
    )


def test_every_exposure_has_an_owner_and_says_what_it_is(manifest: Node) -> None:
    for each in manifest["exposures"].values():
        assert each["owner"]["name"] and each["description"] and each["label"], each["name"]


def says_its_age(source: Node) -> bool:
    """It has limits and the column they are measured by, or the reason why none make sense."""
    limits = source["freshness"] or {}
    limited = any((limits.get(word) or {}).get("count") for word in ("warn_after", "error_after"))
    return bool(source["loaded_at_field"]) and limited != bool(source["config"]["meta"].get("event_driven"))


def test_every_source_says_how_old_it_may_grow(manifest: Node) -> None:
    assert [
        f"{each['source_name']}.{each['name']}"
        for each in manifest["sources"].values()
        if not says_its_age(each)
    ] == []


@pytest.mark.parametrize(
    ("freshness", "field", "meta", "good"),
    [
        ({"warn_after": {"count": 1, "period": "day"}}, "ingested_at", {}, True),
        (None, "ingested_at", {"event_driven": "once in years"}, True),
        (None, "ingested_at", {}, False),
        ({"warn_after": {"count": None}}, "ingested_at", {}, False),
        ({"warn_after": {"count": 1, "period": "day"}}, None, {}, False),
        ({"warn_after": {"count": 1, "period": "day"}}, "ingested_at", {"event_driven": "both"}, False),
    ],
    ids=["limits", "a reason", "neither", "limits without a number", "no column", "both"],
)
def test_which_sources_say_it(freshness: Any, field: str | None, meta: Node, good: bool) -> None:
    source = {"freshness": freshness, "loaded_at_field": field, "config": {"meta": meta}}
    assert says_its_age(source) is good
