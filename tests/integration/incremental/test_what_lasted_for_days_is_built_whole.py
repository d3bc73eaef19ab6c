"""A stay of a week that one late fix cuts in two is made anew from its beginning to its end, and no other is touched.

Belongs here: what reaches beyond the days that a run looks at. Small worlds seldom stand still for so long.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.incremental.conftest import LOADS, build_fleet, write
from tests.support.warehouse import create_raw_tables, query

_FIRST = datetime(2026, 11, 2, tzinfo=UTC)
_AS_OF = _FIRST + timedelta(days=12)
_STAYS = "SELECT * FROM canonical.canonical_vehicle_stops ORDER BY device_id, started_at"
_VISITS = "SELECT * FROM canonical.canonical_geofence_visits ORDER BY device_id, arrived_at"


def fix(device: str, at: datetime, latitude: float = 53.0) -> dict[str, Any]:
    return {
        "device_id": device, "positioned_at": at, "received_at": at, "latitude": latitude, "longitude": 10.0,
        "quality": "ok",
    }  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two units at a depot for ten days; then one fix of the first, on the second day, lies elsewhere after all."""
    path = tmp_path_factory.mktemp("stays") / "warehouse.duckdb"
    create_raw_tables(path)
    moments = [_FIRST + timedelta(minutes=10 * number) for number in range(10 * 144)]
    rows = {
        ("dispatch", "vehicles"): [
            {"vehicle_id": f"V{device}", "device_id": device, "capacity_kg": 5000} for device in ("D", "E")
        ],
        ("dispatch", "locations"): [
            {
                "location_id": "L", "name": "L", "kind": "depot", "time_zone": "Europe/Berlin", "latitude": 53.0,
                "longitude": 10.0,
            }
        ],
        ("telematics", "positions"): [fix(device, moment) for device in ("D", "E") for moment in moments],
    }  # fmt: skip
    write(path, rows, LOADS[0])
    build_fleet(path, _AS_OF, None)
    query(
        path, "UPDATE canonical.canonical_vehicle_stops SET vehicle_id = 'as it stood' WHERE device_id = 'E'"
    )
    query(
        path,
        "UPDATE canonical.canonical_geofence_visits SET vehicle_id = 'as it stood' WHERE device_id = 'E'",
    )
    gone = fix("D", moments[200], latitude=54.0) | {"source_version": _AS_OF}
    write(path, {("telematics", "positions"): [gone]}, LOADS[1])
    build_fleet(path, _AS_OF, _AS_OF)
    return path


def test_both_parts_reach_from_the_first_to_the_last_fix(path: Path) -> None:
    for sql, began in ((_STAYS, "started_at"), (_VISITS, "arrived_at")):
        ours = [row for row in query(path, sql) if row["device_id"] == "D"]
        assert [row[began] for row in ours] == [_FIRST, _FIRST + timedelta(minutes=2010)]
        assert [row["fix_count"] for row in ours] == [200, 10 * 144 - 201]


def test_another_unit_keeps_what_it_had(path: Path) -> None:
    for sql in (_STAYS, _VISITS):
        assert [row["vehicle_id"] for row in query(path, sql) if row["device_id"] == "E"] == ["as it stood"]


def test_everything_built_at_once_says_the_same(path: Path) -> None:
    before = [query(path, sql) for sql in (_STAYS, _VISITS)]
    build_fleet(path, _AS_OF, None)
    after = [query(path, sql) for sql in (_STAYS, _VISITS)]
    for rows, again in zip(before, after, strict=True):
        assert [row | {"vehicle_id": ""} for row in rows] == [row | {"vehicle_id": ""} for row in again]
