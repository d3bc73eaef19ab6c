"""A selection that is built in parts holds every model once, none before what it reads."""

from __future__ import annotations

import pytest

from orchestration.dbt_manifest import data_tests, nodes_tagged
from orchestration.dbt_parts import parts_of
from tests.support.manifest import project_manifest


@pytest.mark.parametrize("tag", ["before_gate", "outbound", "after_push"])
@pytest.mark.parametrize("count", [1, 4, 1000])
def test_no_model_is_built_before_its_parents(tag: str, count: int) -> None:
    nodes = {node["unique_id"]: node for node in nodes_tagged(project_manifest(), tag)}
    parts = parts_of(project_manifest(), tag, count)
    assert len(parts) <= count
    place = {name: number for number, part in enumerate(parts) for name in part}
    tests = {each["name"]: each for each in data_tests(project_manifest())}
    models = [name for part in parts for name in part if name not in tests]
    assert sorted(models) == sorted(each["name"] for each in nodes.values())
    for name in place.keys() & tests.keys():
        read = {place[nodes[each]["name"]] for each in tests[name]["depends_on"]["nodes"] if each in nodes}
        assert len(read) > 1 and place[name] == max(read), name
    for node in nodes.values():
        for parent in node["depends_on"].get("nodes", []):
            if parent in nodes:
                assert place[nodes[parent]["name"]] <= place[node["name"]], (parent, node["name"])
