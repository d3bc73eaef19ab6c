"""A change time that has not come yet moves no cursor past what has, and refuses its row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from ingestion.base import Rejection, SourceRecord
from ingestion.records import AHEAD, SKEW, Furthest, in_time, is_in_future

NOW = datetime(2026, 11, 13, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass
class Source:
    """A source and its clock."""

    source_clock: datetime | None = NOW


def record(version: datetime | None, rejection: Rejection | None = None) -> SourceRecord:
    return SourceRecord("orders", {"name": "O-1"}, version, {"order_id": "O-1"}, rejection)


@pytest.mark.parametrize(
    ("seen", "cursor"),
    [
        (NOW - SECOND, NOW - SECOND),
        (NOW + SECOND, NOW + SECOND),  # a Date header tells whole seconds
        (NOW + SKEW + SECOND, NOW),
        (NOW.replace(year=2031), NOW),
    ],
)
def test_a_cursor_goes_no_further_than_the_source_s_own_time(seen: datetime, cursor: datetime) -> None:
    furthest = Furthest((NOW - timedelta(days=1)).isoformat(), Source())
    furthest.see(seen)
    assert furthest.cursor == cursor.isoformat()


def test_what_changes_while_it_is_read_is_still_to_come() -> None:
    source = Source()
    furthest = Furthest(None, source)
    furthest.see(NOW - SECOND)
    source.source_clock = NOW + timedelta(minutes=30)
    furthest.see(NOW.replace(year=2031))
    assert furthest.cursor == NOW.isoformat(), "pages that were read before may have changed since"


def test_a_source_without_a_clock_is_believed() -> None:
    furthest, ahead = Furthest(None, Source(None)), NOW.replace(year=2031)
    furthest.see(ahead)
    assert furthest.cursor == ahead.isoformat()
    assert in_time(record(ahead), None).rejection is None


def test_a_cursor_never_goes_back() -> None:
    furthest = Furthest(NOW.isoformat(), Source(NOW - timedelta(hours=2)))
    furthest.see(NOW + timedelta(hours=1))
    assert furthest.cursor == NOW.isoformat()


def test_a_row_is_refused_where_its_change_lies_too_far_ahead() -> None:
    refused = in_time(record(NOW + AHEAD + SECOND), NOW).rejection
    assert refused is not None and refused.reason == "CHANGED_IN_FUTURE"
    assert in_time(record(NOW + AHEAD), NOW).rejection is None
    assert in_time(record(None), NOW).rejection is None


def test_what_was_wrong_with_it_before_stays_its_reason() -> None:
    own = Rejection("ID_INVALID", "no id")
    assert in_time(record(NOW.replace(year=2031), own), NOW).rejection == own


@pytest.mark.parametrize(
    ("cursor", "is_told"),
    [
        ((NOW + SKEW).isoformat(), False),
        ((NOW + SKEW + SECOND).isoformat(), True),
        ("MTYzMQ==", False),  # the vendor's own
        ("20311231", False),  # one that reads as a day, without a zone
        (None, False),
    ],
)
def test_a_cursor_after_the_source_s_own_time_is_told_from_others(cursor: str | None, is_told: bool) -> None:
    assert is_in_future(cursor, NOW) is is_told
    assert not is_in_future(cursor, None)
