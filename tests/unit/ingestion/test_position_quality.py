"""Each fix gets the flag of its fault, and a good one none."""

from datetime import UTC, datetime, timedelta

import pytest

from ingestion.telematics.quality import Fixes, check_place
from ingestion.times import Refused

AT = datetime(2026, 11, 13, 12, tzinfo=UTC)


def _fix(minutes=0, latitude=53.5, longitude=10.0, **changes):
    at = AT + timedelta(minutes=minutes)
    fix = {
        "device_id": "D",
        "positioned_at": at,
        "received_at": at,
        "latitude": latitude,
        "longitude": longitude,
    }
    return fix | {"speed_kmh": 50.0, "odometer_km": 100.0 + minutes} | changes


@pytest.mark.parametrize(
    ("fix", "quality"),
    [
        (_fix(1, 53.51), "ok"),
        (_fix(1, 0.0, 0.0), "zero_island"),
        (_fix(1, 54.5), "jump"),
        (_fix(60, 54.5), "ok"),
        (_fix(1, 53.51, odometer_km=99.0), "odometer_fell"),
        (_fix(1), "frozen"),
        (_fix(1, speed_kmh=0.0), "ok"),
        (_fix(1, 53.51, received_at=AT + timedelta(days=40)), "late"),
    ],
)
def test_the_second_fix_is_flagged(fix, quality):
    fixes = Fixes()
    fixes.judged(_fix())
    assert fixes.judged(fix)["quality"] == quality


def test_a_clock_ten_minutes_ahead_gives_way_to_the_receive_time():
    judged = Fixes().judged(_fix(10, received_at=AT))
    assert (judged["quality"], judged["positioned_at"]) == ("clock_ahead", AT)


def test_a_clock_a_day_ahead_is_refused():
    with pytest.raises(Refused) as refused:
        Fixes().judged(_fix(24 * 60, received_at=AT))
    assert refused.value.rejection.reason == "CLOCK_AHEAD"


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ((139.7, 35.6), "COORDINATES_SWAPPED"),
        ((91.0, 170.0), "COORDINATES_INVALID"),
        ((53.0, 181.0), "COORDINATES_INVALID"),
        ((float("nan"), 10.0), "COORDINATES_INVALID"),
    ],
)
def test_a_place_on_no_map_is_refused(place, reason):
    with pytest.raises(Refused) as refused:
        check_place(*place)
    assert refused.value.rejection.reason == reason


def test_a_place_at_the_edge_of_the_map_passes():
    check_place(90.0, -180.0)
