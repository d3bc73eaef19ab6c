"""A safety event becomes a row for each of its labels; what cannot be read is refused with its reason."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.telematics import VehicleEvent
from ingestion.telematics.samsara_events import safety_events
from tests.support.tiny_world import safety_event

TOLD = datetime(2026, 11, 12, 9, tzinfo=UTC)


def told(**changes: Any) -> dict[str, Any]:
    return safety_event("SE-1") | changes


def test_an_event_has_its_place_its_times_and_the_time_of_its_last_change() -> None:
    (row,) = safety_events(told(updatedAtTime="2026-11-12T10:00:00Z"))
    assert row.rejection is None
    assert row.version == datetime(2026, 11, 12, 10, tzinfo=UTC)
    assert row.fields == {
        "device_id": "D-1", "event_type": "Braking", "latitude": 53.5, "longitude": 9.9, "speed_kmh": None,
        "occurred_at": datetime(2026, 11, 12, 8, 0, 1, 250000, tzinfo=UTC), "received_at": TOLD,
    }  # fmt: skip
    assert VehicleEvent.model_validate(row.fields)


def test_each_label_is_a_row() -> None:
    rows = safety_events(told(behaviorLabels=[{"label": "Braking"}, {"label": "Crash"}]))
    assert [row.fields["event_type"] for row in rows if row.fields] == ["Braking", "Crash"]


def test_the_speed_is_that_of_an_event_about_speed() -> None:
    speeds = {"maxSpeedKilometersPerHour": 91, "postedSpeedLimitKilometersPerHour": 50}
    (row,) = safety_events(told(speedingMetadata=speeds))
    assert row.fields and row.fields["speed_kmh"] == 91.0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"startMs": "last night"}, "TIME_INVALID"),
        ({"createdAtTime": 1794474000000}, "TIME_INVALID"),
        ({"location": {"latitude": 153.0, "longitude": 9.9}}, "COORDINATES_SWAPPED"),
        ({"location": {"latitude": 453.0, "longitude": 9.9}}, "COORDINATES_INVALID"),
        ({"location": "Hamburg"}, "FIELD_INVALID"),
        ({"updatedAtTime": "never"}, None),
        ({"location": {}}, None),
        ({"location": None}, None),
    ],
)
def test_what_cannot_be_read_is_refused(changes: dict[str, Any], reason: str | None) -> None:
    (row,) = safety_events(told(**changes))
    assert (row.rejection.reason if row.rejection else None) == reason


@pytest.mark.parametrize("labels", [[], None, [{"source": "automated"}], ["Braking"]])
def test_an_event_without_a_name_is_a_row_all_the_same(labels: Any) -> None:
    (row,) = safety_events(told(behaviorLabels=labels))
    assert row.fields and row.fields["event_type"] == ("Braking" if labels == ["Braking"] else None)
