"""One selection of dbt in several parts, one after the other, so that who waits for the warehouse is let in between.

Belongs here: cutting. A part holds models whose parents are in it or in an earlier one; what a worker changes between two
parts are rows of things that it has touched, replaced whole, and the parts after it know them to be touched (``event_builds``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import TopologicalSorter
from typing import Any

from orchestration.dbt_manifest import data_tests, nodes_tagged


def parts_of(manifest: dict[str, Any], tag: str, count: int) -> list[list[str]]:
    """The names of the models and seeds tagged ``tag``, in at most ``count`` parts of about equal size.

    dbt runs a test with a selection that holds everything it reads. One that reads models of several parts is named in
    the last of them.
    """
    nodes = {node["unique_id"]: node for node in nodes_tagged(manifest, tag)}
    order = _in_order({key: node["depends_on"].get("nodes", []) for key, node in nodes.items()})
    size = -(-len(order) // count) or 1
    place = {key: number // size for number, key in enumerate(order)}
    parts = [
        [nodes[key]["name"] for key in order[start : start + size]] for start in range(0, len(order), size)
    ]
    for test in data_tests(manifest):
        read = {place[each] for each in test["depends_on"]["nodes"] if each in place}
        if test["attached_node"] in nodes and len(read) > 1:
            parts[max(read)].append(test["name"])
    return parts


def _in_order(parents: Mapping[str, Collection[str]]) -> list[str]:
    """Parents first, and always in the same order."""
    known = {key: sorted(each for each in above if each in parents) for key, above in sorted(parents.items())}
    return list(TopologicalSorter(known).static_order())
