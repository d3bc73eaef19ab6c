"""Positions taken at once come out as the same positions taken one by one."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.dispatch import Consignment
from contracts.resources import resource
from ingestion.bulk import ColumnBorder, row_hashes
from ingestion.envelope import enveloped
from ingestion.sorting import Sorter, Visit
from ingestion.telematics.quality import Fixes
from ingestion.telematics.samsara import _by_device, _joined

NOW = datetime(2026, 11, 13, 12, tzinfo=UTC)
POSITIONS = resource("telematics", "positions")
ODD = [
    {"latitude": Decimal("NaN")},
    {"latitude": Decimal(120), "longitude": Decimal(9)},
    {"latitude": Decimal(0), "longitude": Decimal(0)},
    {"latitude": Decimal("58.0")},
    {"latitude": "53.5"},
    {"longitude": None},
    {"speedMilesPerHour": Decimal(-1)},
    {"speedMilesPerHour": True},
    {"headingDegrees": 400},
    {"time": "1970-01-01T00:00:00Z"},
    {"time": "2026-11-13T11:59:00"},
    {"time": "2026-11-13T13:59:00+02:00"},
    {"time": 1763035140},
    {"time": None},
    {"receivedAtTime": None},
    {"receivedAtTime": "2026-12-30T00:00:00Z"},
    {"receivedAtTime": "2026-11-11T00:00:00Z"},
]


def gps(step, **changes):
    at = NOW - timedelta(hours=2) + timedelta(seconds=20 * step)
    plain = {
        "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "latitude": Decimal("53.500001") + Decimal(step) / 500,
        "longitude": Decimal("10.0"),
        "headingDegrees": 90,
        "speedMilesPerHour": Decimal("36.7"),
        "receivedAtTime": f"{at + timedelta(seconds=2):%Y-%m-%dT%H:%M:%SZ}",
    }
    return plain | changes


def vehicle(device, steps, odd):
    fixes = [gps(step, **odd.get(place, {})) for place, step in enumerate(steps)]
    metres = [
        {"time": each["time"], "value": 1000 + 40 * step} for each, step in zip(fixes, steps, strict=True)
    ]
    engine = [{"time": each["time"], "value": "On"} for each in fixes[::2]]
    return {"id": device, "gps": fixes, "obdOdometerMeters": metres, "engineStates": engine}


VEHICLES = st.builds(
    vehicle,
    st.sampled_from(["A", "B", "C", "stranger", " D", 7]),
    st.lists(st.integers(0, 200), min_size=1, max_size=8),
    st.dictionaries(st.integers(0, 7), st.sampled_from(ODD), max_size=1),
)


def sorter():
    return Sorter(POSITIONS, Visit("tele", "run_1", NOW), lambda _: {}, lambda _: {"A", "B", "C"})


def rows(outcome):
    table = enveloped(POSITIONS, "tele", "run_1", outcome).drop_columns(["ingested_at"])
    return sorted(table.to_pylist(), key=lambda row: row["source_id"])


def letters(outcome):
    return sorted((each.source_id or "", each.reason, each.detail, each.raw) for each in outcome.letters)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(VEHICLES, max_size=4), max_size=3))
def test_pages_in_bulk_equal_pages_row_by_row(pages):
    fast, slow, fast_fixes, slow_fixes = sorter(), sorter(), Fixes(), Fixes()
    for page in pages:
        records, plain = [], []
        for each in _by_device(page):
            columns = each.columns(fast_fixes)
            if columns is None:
                records.extend(each.records(fast_fixes))
            else:
                plain.append((each, columns))
        at_once = fast.sort(records, [_joined(plain)] if plain else [])
        one_by_one = slow.sort([row for each in _by_device(page) for row in each.records(slow_fixes)])
        assert rows(at_once) == rows(one_by_one)
        assert letters(at_once) == letters(one_by_one)
        assert (at_once.loaded, at_once.duplicates) == (one_by_one.loaded, one_by_one.duplicates)


def test_a_plain_page_goes_in_bulk_and_an_odd_one_does_not():
    plain, odd = _by_device([vehicle("A", [1, 2, 3], {}), vehicle("B", [1, 2, 3], {1: ODD[3]})])
    assert plain.columns(Fixes()) is not None
    assert odd.columns(Fixes()) is None


def test_a_jump_between_two_pages_is_seen():
    fixes = Fixes()
    first, second = _by_device([vehicle("A", [1], {})])[0], _by_device([vehicle("A", [2], {0: ODD[3]})])[0]
    assert first.columns(fixes) is not None
    assert second.columns(fixes) is None
    assert [each.fields["quality"] for each in second.records(fixes)] == ["jump"]


def test_a_hash_in_bulk_is_the_hash_of_the_row():
    columns = _joined([(each, each.columns(Fixes())) for each in _by_device([vehicle("A", [1, 5], {})])])
    sorted_rows = sorter().sort([columns.record(row) for row in range(2)])
    assert row_hashes(columns.table) == [each.row_hash for each in sorted_rows.accepted]


def test_a_contract_with_amounts_is_not_judged_in_bulk():
    with pytest.raises(TypeError):
        ColumnBorder(Consignment)
