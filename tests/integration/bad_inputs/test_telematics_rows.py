"""Bad positions: refused, or kept with a flag that keeps them out of geofences and distances; and bad safety events."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from state.dead_letters import DeadLetter
from tests.support.tiny_world import safety_event
from tests.support.vendors import NOW, Intake

START = NOW - timedelta(hours=6)
NAN = float("nan")


def instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def fix(minutes: float, /, **changes: Any) -> dict[str, Any]:
    """A fix that stands still in Hamburg, heard at once."""
    at = instant(START + timedelta(minutes=minutes))
    return {
        "time": at, "latitude": 53.5, "longitude": 10.0, "headingDegrees": 90, "speedMilesPerHour": 0.0,
        "receivedAtTime": at,
    } | changes  # fmt: skip


def at(minutes: float) -> str:
    return instant(START + timedelta(minutes=minutes))


def device(name: str, *fixes: dict[str, Any], metres: dict[str, int] | None = None) -> dict[str, Any]:
    odometer = [{"time": time, "value": value} for time, value in (metres or {}).items()]
    return {"id": name, "gps": list(fixes), "obdOdometerMeters": odometer}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "latitude NaN": (fix(1, latitude=NAN), "COORDINATES_INVALID"),
    "latitude out of range": (fix(2, latitude=191.0), "COORDINATES_INVALID"),
    "longitude out of range": (fix(3, longitude=180.1), "COORDINATES_INVALID"),
    "likely swapped": (fix(4, latitude=139.7, longitude=35.6), "COORDINATES_SWAPPED"),
    "clock ahead by a day": (fix(5, time=at(5 + 24 * 60)), "CLOCK_AHEAD"),
    "year 0001": (fix(6, time="0001-01-01T00:00:00Z"), "TIME_INVALID"),
    "epoch 0": (fix(7, time="1970-01-01T00:00:00Z"), "TIME_INVALID"),
    "seconds mistaken for milliseconds": (fix(8, time="1970-01-21T18:27:50Z"), "TIME_INVALID"),
    "year 9999": (fix(9, time="9999-12-31T23:59:59Z"), "CLOCK_AHEAD"),
    "latitude null": (fix(10, latitude=None), "FIELD_MISSING"),
    "latitude as a word": (fix(11, latitude="north"), "FIELD_INVALID"),
}
FLAGGED: dict[str, tuple[list[dict[str, Any]], dict[str, int], str]] = {
    "0,0": ([fix(0), fix(1, latitude=0, longitude=0)], {}, "zero_island"),
    "a jump of 400 km/h": ([fix(0), fix(3, latitude=53.68)], {}, "jump"),
    "clock ahead by ten minutes": ([fix(1, time=at(11))], {}, "clock_ahead"),
    "heard after forty days": ([fix(1, time=at(1 - 40 * 24 * 60))], {}, "late"),
    "odometer falls": ([fix(0), fix(1)], {at(0): 1000, at(1): 999}, "odometer_fell"),
    "frozen position with speed": (
        [fix(0, speedMilesPerHour=40.0), fix(1, speedMilesPerHour=40.0)], {}, "frozen"
    ),
}  # fmt: skip
SOUND: dict[str, tuple[list[dict[str, Any]], dict[str, int]]] = {
    "0,0 in one number only": ([fix(0, latitude=0.0, longitude=10.0)], {}),
    "a stretch of 250 km/h": ([fix(0), fix(3, latitude=53.61)], {}),
    "clock ahead by a minute": ([fix(1, time=at(2))], {}),
    "heard after a day": ([fix(1, time=at(1 - 24 * 60))], {}),
    "odometer stands": ([fix(0), fix(1)], {at(0): 1000, at(1): 1000}),
    "standing still": ([fix(0), fix(1)], {}),
    "at the pole and the date line": ([fix(0, latitude=90.0, longitude=-180.0)], {}),
}


def name(case: str) -> str:
    return "DEV-" + "".join(each if each.isalnum() else "-" for each in case)


def knows(intake: Intake, *devices: str) -> None:
    intake.vendors.lists["vehicles"] = [
        {"id": f"V-{each}", "lastModified": instant(START), "externalAttributes": {"deviceId": each}}
        for each in devices
    ]
    intake.read("dispatch")


@pytest.fixture(scope="module", autouse=True)
def read(intake: Intake) -> None:
    knows(intake, *map(name, (*REFUSED, *FLAGGED, *SOUND)))
    intake.vendors.lists["vehicles"] = [
        *(device(name(case), fix(0), row, fix(20)) for case, (row, _) in REFUSED.items()),
        *(device(name(case), *rows, metres=metres) for case, (rows, metres, _) in FLAGGED.items()),
        *(device(name(case), *rows, metres=metres) for case, (rows, metres) in SOUND.items()),
    ]
    counts = intake.read("telematics")["positions"]
    assert counts.dead_lettered == len(REFUSED)
    assert counts.duplicate == counts.parked == 0


def qualities(intake: Intake, device_id: str) -> list[str]:
    from core.warehouse import open_warehouse

    with open_warehouse(intake.settings, "test") as warehouse:
        found = warehouse.execute(
            "SELECT quality FROM raw_telematics.positions WHERE device_id = ? ORDER BY received_at",
            [device_id],
        ).fetchall()
    return [each[0] for each in found]


def letter_of(intake: Intake, device_id: str, status: str = "open") -> DeadLetter:
    [found] = [each for each in intake.letters(status) if json.loads(each.raw)["id"] == device_id]
    return found


@pytest.mark.parametrize("case", REFUSED)
def test_a_position_is_refused_and_what_the_feed_told_is_kept(intake: Intake, case: str) -> None:
    row, reason = REFUSED[case]
    letter = letter_of(intake, name(case))
    assert letter.reason == reason
    told = json.loads(letter.raw)["gps"]
    assert {key: str(value) for key, value in told.items()} == {
        key: str(value).replace("nan", "NaN") for key, value in row.items()
    }
    assert qualities(intake, name(case)) == ["ok", "ok"]


def test_swapped_coordinates_are_refused_with_the_suggestion(intake: Intake) -> None:
    assert "did you mean 35.6, 139.7?" in letter_of(intake, name("likely swapped")).detail


@pytest.mark.parametrize("case", FLAGGED)
def test_a_position_is_kept_with_its_flag(intake: Intake, case: str) -> None:
    rows, _, flag = FLAGGED[case]
    assert qualities(intake, name(case)) == ["ok"] * (len(rows) - 1) + [flag]


@pytest.mark.parametrize("case", SOUND)
def test_the_position_beside_it_has_no_flag(intake: Intake, case: str) -> None:
    assert qualities(intake, name(case)) == ["ok"] * len(SOUND[case][0])


def test_of_a_clock_ten_minutes_ahead_the_receive_time_is_used(intake: Intake) -> None:
    [row] = intake.rows(
        "telematics",
        "positions",
        f"{name('clock ahead by ten minutes')}|{(START + timedelta(minutes=1)).isoformat()}",
    )
    assert row["positioned_at"] == row["received_at"] == START + timedelta(minutes=1)


def test_a_repeated_position_changes_nothing(fresh: Intake) -> None:
    knows(fresh, "D")
    fresh.vendors.lists["vehicles"] = [device("D", fix(0), fix(0), fix(1))]
    counts = fresh.read("telematics")["positions"]
    assert (counts.rows_in, counts.loaded, counts.duplicate) == (3, 2, 1)


def test_an_unknown_device_is_waited_for_a_day_and_then_refused(fresh: Intake) -> None:
    knows(fresh, "D")
    told = device("D", fix(0)), device("LATER", fix(0)), device("NEVER", fix(0))
    fresh.vendors.lists["vehicles"] = list(told)
    counts = fresh.read("telematics")["positions"]
    assert (counts.loaded, counts.parked) == (1, 2)
    assert json.loads(letter_of(fresh, "NEVER", "parked").raw)["gps"]["time"] == at(0)
    fresh.vendors.now = START + timedelta(hours=24, minutes=1)
    knows(fresh, "D", "LATER")
    fresh.vendors.lists["vehicles"] = []
    counts = fresh.read("telematics")["positions"]
    assert (counts.rows_in, counts.loaded, counts.dead_lettered) == (2, 1, 1)
    assert letter_of(fresh, "NEVER").reason == "UNKNOWN_PARENT"
    assert fresh.letters("parked") == [] and qualities(fresh, "LATER") == ["ok"]


def test_of_safety_events_each_has_its_fate(fresh: Intake) -> None:
    knows(fresh, "D-1")
    bare = safety_event("SE-2", "2026-11-12T10:00:00Z") | {"behaviorLabels": []}
    swapped = safety_event("SE-3", "2026-11-12T10:00:00Z")
    swapped |= {"startMs": at(1), "location": {"headingDegrees": 0, "latitude": 139.7, "longitude": 35.6}}
    strange = safety_event("SE-4", instant(NOW)) | {"asset": {"id": "LATER"}}
    good = safety_event("SE-1")
    fresh.vendors.lists["safety_events"] = [good, good, bare, swapped, strange]
    counts = fresh.read("telematics")["vehicle_events"]
    fates = (counts.rows_in, counts.loaded, counts.duplicate, counts.dead_lettered, counts.parked)
    assert fates == (5, 1, 1, 2, 1)
    assert fresh.letter(bare, "vehicle_events").reason == "FIELD_MISSING"
    assert fresh.letter(swapped, "vehicle_events").reason == "COORDINATES_SWAPPED"
    assert "/safety-events/stream" in fresh.vendors.asked


def test_a_label_that_comes_later_is_a_row_of_its_own(fresh: Intake) -> None:
    knows(fresh, "D-1")
    fresh.vendors.lists["safety_events"] = [safety_event("SE-1")]
    assert fresh.read("telematics")["vehicle_events"].loaded == 1
    labels = [{"label": "Braking"}, {"label": "Crash"}]
    later = safety_event("SE-1") | {"behaviorLabels": labels, "updatedAtTime": "2026-11-12T11:00:00Z"}
    fresh.vendors.lists["safety_events"] = [later]
    counts = fresh.read("telematics")["vehicle_events"]
    assert (counts.rows_in, counts.dead_lettered) == (2, 0)
    assert counts.loaded >= 1
