"""A build is written down as complete once everything that goes on from it is built.

Belongs here: what has to come before ``builds``, and what a run that goes on from it may read.
"""

from __future__ import annotations

from tests.support.manifest import project_manifest


def test_everything_that_goes_on_from_a_build_comes_before_it_is_written_down() -> None:
    nodes = project_manifest()["nodes"]
    parents = {
        name: node["depends_on"]["nodes"] for name, node in nodes.items() if node["resource_type"] == "model"
    }
    before, left = set(), ["model.waybill.builds"]
    while left:
        name = left.pop()
        if name in parents and name not in before:
            before.add(name)
            left += parents[name]
    # A selection that fails stops the run: only its own one can be written down too early.
    kept = {
        name
        for name in parents
        if nodes[name]["config"]["materialized"] == "incremental" and "after_push" in nodes[name]["tags"]
    }
    assert kept > {"model.waybill.kpi_values.v1"}
    missing = sorted(kept - before)
    assert not missing, "a run that breaks off before these would be taken for a complete one"


OF_A_VISIT = ("telematics_", "geofence_visit_key", "arrival_difference_s")
"""Columns of fct_stops that positions alone can change: the stop is built again then, and nothing else is touched."""


def test_what_is_built_for_touched_stops_hangs_on_no_visit() -> None:
    nodes = project_manifest()["nodes"]
    (stops,) = (each for each in nodes.values() if each["name"] == "fct_stops")
    assert [name for name in stops["columns"] if name.startswith(OF_A_VISIT)]
    readers = {
        node["name"]: node["raw_code"]
        for node in nodes.values()
        if node["resource_type"] == "model" and stops["unique_id"] in node["depends_on"]["nodes"]
    }
    assert readers
    assert [name for name, code in readers.items() if any(word in code for word in OF_A_VISIT)] == []
