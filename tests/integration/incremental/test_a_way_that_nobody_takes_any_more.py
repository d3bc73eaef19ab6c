"""A trip whose way was given to another one has no legs any more, and a trip of which nothing came keeps the legs it had.

Belongs here: ways that go and come from one run to the next. Small worlds seldom take a whole way from a trip.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.incremental.conftest import LOADS, build_fleet, write
from tests.support.warehouse import create_raw_tables, query

_FIRST = datetime(2026, 11, 2, tzinfo=UTC)
_LATER = _FIRST + timedelta(days=1)
_LEGS = """
    SELECT trips.trip_id, count(*) AS legs, min(legs.allowed_km) AS allowed_km
    FROM canonical.int_route_legs AS legs
    INNER JOIN canonical.int_trip_ways AS trips USING (trip_key)
    GROUP BY trips.trip_id ORDER BY trips.trip_id
"""
_AS_IT_STOOD = 99.0


def way(route: str, trip: str, version: datetime) -> list[dict[str, Any]]:
    return [
        {
            "route_id": route, "trip_id": trip, "sequence_nr": number, "latitude": 53.0 + number / 10,
            "longitude": 10.0, "source_version": version,
        }
        for number in range(3)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two trips with a way each; then the first one's way is given to a third trip."""
    path = tmp_path_factory.mktemp("ways") / "warehouse.duckdb"
    create_raw_tables(path)
    points = [*way("R1", "given away", _FIRST), *way("R2", "kept", _FIRST)]
    write(path, {("dispatch", "route_points"): points}, LOADS[0])
    build_fleet(path, _LATER, None)
    query(path, f"UPDATE canonical.int_route_legs SET allowed_km = {_AS_IT_STOOD}")
    write(path, {("dispatch", "route_points"): way("R1", "taken over", _LATER)}, LOADS[1])
    build_fleet(path, _LATER, _LATER)
    return path


def test_the_way_goes_from_one_trip_to_the_other_and_the_third_keeps_its_own(path: Path) -> None:
    legs = {row["trip_id"]: (row["legs"], row["allowed_km"]) for row in query(path, _LEGS)}
    assert legs.keys() == {"kept", "taken over"}
    assert legs["kept"] == (2, _AS_IT_STOOD)
    assert legs["taken over"][0] == 2
    assert legs["taken over"][1] != _AS_IT_STOOD
    keys = "SELECT count(DISTINCT trip_key) AS trips FROM canonical.int_route_legs"
    assert query(path, keys) == [{"trips": 2}]
