"""Vendors' times become instants, or a reason."""

from datetime import UTC, datetime

import pytest

from ingestion.times import Refused, Times


def test_a_naive_time_is_read_in_the_sites_zone():
    times = Times("Europe/Berlin", is_documented=True)
    assert times.iso("2026-11-13 18:00:00.000001", "t") == datetime(2026, 11, 13, 17, 0, 0, 1, tzinfo=UTC)
    assert times.quality == "exact"


def test_an_assumed_zone_is_flagged_and_a_stated_one_is_not():
    times = Times("Europe/Berlin")
    times.iso("2026-11-13T18:00:00Z", "t")
    assert times.quality == "exact"
    times.iso("2026-11-13T18:00:00", "t")
    assert times.quality == "assumed_zone"


@pytest.mark.parametrize(
    ("value", "zone", "reason"),
    [
        ("2026-11-13T18:00:00", None, "TIME_NO_ZONE"),
        ("2026-03-29 02:30:00", "Europe/Berlin", "TIME_GAP"),
        ("yesterday", "Europe/Berlin", "TIME_INVALID"),
        (12, "Europe/Berlin", "TIME_INVALID"),
    ],
)
def test_an_unusable_time_is_refused_under_its_reason(value, zone, reason):
    with pytest.raises(Refused) as refused:
        Times(zone).iso(value, "t")
    assert refused.value.rejection.reason == reason


def test_an_ambiguous_hour_is_kept_and_told():
    times = Times("Europe/Berlin", is_documented=True)
    assert times.iso("2026-10-25 02:30:00", "t") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert times.quality == "ambiguous"


@pytest.mark.parametrize("value", ["soon", 10**20, "1.5"])
def test_milliseconds_that_are_none_are_refused(value):
    with pytest.raises(Refused) as refused:
        Times().milliseconds(value, "t")
    assert refused.value.rejection.reason == "TIME_INVALID"


def test_milliseconds_may_come_as_text():
    assert Times().milliseconds("1794474000000", "t") == Times().milliseconds(1794474000000, "t")
