"""Bad rows of a dispatch system: each meets its treatment, its bytes are kept, and the row beside it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.vendors import Intake, text

AT = "2026-11-12T09:00:00Z"


def consignment(name: str, **more: Any) -> dict[str, Any]:
    own = {"orderId": f"O-{name}"} | more
    return {
        "id": name, "lastModified": AT, "status": own.pop("status", "accepted"), "goods": [],
        "externalAttributes": own,
    }  # fmt: skip


def action(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": name, "lastModified": AT, "actionType": "stop", "lifecycle": "realized", "sequenceNr": 1,
        "startTime": "2026-11-12T08:00:00Z", "endTime": "2026-11-12T09:00:00Z",
        "externalAttributes": {"stopId": name},
    } | changes  # fmt: skip


ACTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "end before start": (action("A-1", endTime="2026-11-12T07:59:59Z"), "END_BEFORE_START"),
    "year 0001": (action("A-2", startTime="0001-01-01T00:00:00Z"), "TIME_INVALID"),
    "year 9999": (action("A-3", endTime="9999-12-31T23:59:59Z"), "TIME_INVALID"),
    "epoch 0": (action("A-4", startTime="1970-01-01T00:00:00Z"), "TIME_INVALID"),
    "seconds since 1970": (action("A-5", startTime=1794470400), "TIME_INVALID"),
    "time without a zone, and none is configured": (
        action("A-6", endTime="2026-11-12T09:00:00"),
        "TIME_NO_ZONE",
    ),
    "unknown lifecycle": (action("A-7", lifecycle="dreamt"), "STATUS_UNKNOWN"),
    '"false" as a number': (action("A-8", sequenceNr="false"), "FIELD_INVALID"),
}
NEAR = {
    "end at the start": action("B-1", endTime="2026-11-12T08:00:00Z"),
    "year 1990": action("B-2", startTime="1990-01-01T00:00:00Z"),
    "time with another zone": action("B-3", endTime="2026-11-12T10:30:00+02:00"),
    "known lifecycle": action("B-4", lifecycle="planned"),
}
CONSIGNMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "its own parent": (consignment("C-1", parentId="C-1"), "CYCLE"),
    "parent of its parent": (consignment("C-2", parentId="C-3"), "CYCLE"),
    "child of its child": (consignment("C-3", parentId="C-2"), "CYCLE"),
    "unknown status": (consignment("C-4", status="teleported"), "STATUS_UNKNOWN"),
    "order null": (consignment("C-5", orderId=None), "FIELD_MISSING"),
}


@pytest.fixture(scope="module", autouse=True)
def read(intake: Intake) -> None:
    lists = intake.vendors.lists
    lists["actions"] = [each for each, _ in ACTIONS.values()] + list(NEAR.values())
    lists["consignments"] = [each for each, _ in CONSIGNMENTS.values()]
    lists["consignments"] += [consignment("D-1"), consignment("D-2", parentId="D-1", relation="split")]
    lists["trips"] = [
        {"id": "T-1", "lastModified": AT, "status": "accepted", "actors": [driver("X"), driver("Y")]},
        {"id": "T-2", "lastModified": AT, "status": "accepted", "actors": [driver("X")]},
    ]
    counts = intake.read("dispatch")
    assert (counts["actions"].dead_lettered, counts["actions"].loaded) == (len(ACTIONS), len(NEAR))
    assert (counts["consignments"].dead_lettered, counts["consignments"].loaded) == (len(CONSIGNMENTS), 2)


def driver(name: str) -> dict[str, Any]:
    return {"entity": {"id": name}, "roles": ["driver"]}


@pytest.mark.parametrize("case", ACTIONS)
def test_an_action_is_refused_and_its_bytes_are_kept(intake: Intake, case: str) -> None:
    row, reason = ACTIONS[case]
    assert intake.letter(row, "actions").reason == reason


@pytest.mark.parametrize("case", NEAR)
def test_the_action_beside_it_is_loaded(intake: Intake, case: str) -> None:
    [row] = intake.rows("dispatch", "actions", NEAR[case]["id"])
    assert row["time_quality"] == "exact"


@pytest.mark.parametrize("case", CONSIGNMENTS)
def test_a_consignment_is_refused_and_its_bytes_are_kept(intake: Intake, case: str) -> None:
    row, reason = CONSIGNMENTS[case]
    assert intake.letter(row, "consignments").reason == reason


def test_a_parent_that_is_no_descendant_is_loaded(intake: Intake) -> None:
    assert intake.rows("dispatch", "consignments", "D-2")[0]["parent_id"] == "D-1"


def test_two_drivers_are_kept_and_told(intake: Intake) -> None:
    assert [intake.rows("dispatch", "trips", each)[0]["driver_count"] for each in ("T-1", "T-2")] == [2, 1]


def test_a_second_driver_at_one_stop_is_kept_and_flagged(fresh: Intake) -> None:
    second = action("A-1", externalAttributes={"stopId": "S", "secondDriverId": "Y"})
    fresh.vendors.lists["actions"] = [second, action("A-2")]
    assert fresh.read("dispatch")["actions"].loaded == 2
    flags = [fresh.rows("dispatch", "actions", each)[0]["has_second_driver"] for each in ("A-1", "A-2")]
    assert flags == [True, False]


def test_times_of_a_configured_zone_are_flagged_or_refused_where_the_clocks_jump(fresh: Intake) -> None:
    plain = action("A-1", startTime=None, endTime="2026-11-12T09:00:00")
    gap = action("A-2", startTime=None, endTime="2026-03-29T02:30:00")
    fold = action("A-3", startTime=None, endTime="2026-10-25T02:30:00")
    after = action("A-4", startTime=None, endTime="2026-03-29T03:00:00")
    fresh.vendors.lists["actions"] = [plain, gap, fold, after]
    counts = fresh.read("dispatch_de")["actions"]
    assert (counts.loaded, counts.dead_lettered) == (3, 1)
    assert fresh.letter(gap, "actions").reason == "TIME_GAP"
    found = {name: fresh.rows("dispatch", "actions", name)[0] for name in ("A-1", "A-3", "A-4")}
    assert {name: each["time_quality"] for name, each in found.items()} == {
        "A-1": "assumed_zone", "A-3": "ambiguous", "A-4": "assumed_zone",
    }  # fmt: skip
    assert found["A-1"]["end_at"].hour == 8


def test_a_circle_that_closes_in_a_later_reading_is_refused(fresh: Intake) -> None:
    fresh.vendors.lists["consignments"] = [consignment("C-1", parentId="C-2"), consignment("C-4")]
    assert fresh.read("dispatch")["consignments"].loaded == 2
    closing = consignment("C-2", parentId="C-1")
    fresh.vendors.lists["consignments"] = [closing, consignment("C-3", parentId="C-1")]
    counts = fresh.read("dispatch")["consignments"]
    assert (counts.loaded, counts.dead_lettered) == (1, 1)
    assert fresh.letter(closing, "consignments").reason == "CYCLE"


def test_stops_that_are_nested_in_themselves_are_refused(fresh: Intake) -> None:
    def stop(name: str, *inner: str) -> dict[str, Any]:
        return action(name, actions=[{"entity": {"id": each}} for each in inner])

    circle = [stop("A-1", "A-2"), stop("A-2", "A-3"), stop("A-3", "A-1"), stop("A-4", "A-4")]
    fresh.vendors.lists["actions"] = [*circle, stop("B-1", "B-2", "B-3"), stop("B-2"), stop("B-3")]
    counts = fresh.read("dispatch")["actions"]
    assert (counts.loaded, counts.dead_lettered) == (3, 4)
    assert {fresh.letter(each, "actions").reason for each in circle} == {"CYCLE"}


def test_an_unknown_status_alarms_once(fresh: Intake) -> None:
    from state.dead_letters import of_run

    unknown = consignment("C-1", status="teleported")
    fresh.vendors.lists["consignments"] = [unknown, consignment("C-2")]
    fresh.read("dispatch")
    fresh.read("dispatch")
    assert [each.raw for each in of_run(fresh.engine, "run-1", "dispatch", ["STATUS_UNKNOWN"])] == [
        text(unknown)
    ]
    assert of_run(fresh.engine, "run-2", "dispatch", ["STATUS_UNKNOWN"]) == []
    assert json.loads(text(unknown))["status"] == "teleported"
