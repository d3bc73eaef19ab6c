"""Where people and vans of real traces stood still: what the models find is what a search fix by fix finds."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from core.settings import ROOT
from tests.support.warehouse import create_raw_tables, insert_rows, query, run_dbt

DATA = ROOT.parent / "shared" / "data"
METRES = 111_195.08
STANDING_S, BOX_M, SILENCE_S = 300, 200, 900
ON_THE_EDGE_S = 15
"""A stay that is longer than the shortest by less than this may be found or not: its last step ends behind it."""

pytestmark = pytest.mark.skipif(
    not (DATA / "gps_geolife").is_dir() or not (DATA / "gps_amazon_goal").is_dir(),
    reason="the real traces are not at ../shared/data/gps_geolife and gps_amazon_goal: nothing to try",
)


@dataclass(frozen=True)
class Fix:
    moment: datetime
    latitude: float
    longitude: float
    label: str = ""


def geolife() -> Iterator[tuple[str, Fix]]:
    for path in sorted((DATA / "gps_geolife").glob("*.csv")):
        with path.open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines, delimiter=";"):
                moment = datetime.fromisoformat(row["t"] + ":00")
                yield f"geolife-{row['trajectory_id']}", Fix(moment, float(row["Y"]), float(row["X"]))


def couriers() -> Iterator[tuple[str, Fix]]:
    """Metres from a place nobody tells, laid on the map somewhere."""
    per_degree_east = METRES * math.cos(math.radians(53))
    for path in sorted((DATA / "gps_amazon_goal").glob("*.csv")):
        with path.open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                moment = datetime.fromisoformat(row["timestamp"][:26]).replace(tzinfo=UTC)
                north, east = float(row["y"]) / METRES, float(row["x"]) / per_degree_east
                yield path.stem, Fix(moment, 53 + north, 10 + east, row["groundtruth"])


@pytest.fixture(scope="module")
def traces() -> dict[str, list[Fix]]:
    found: defaultdict[str, dict[datetime, Fix]] = defaultdict(dict)
    for device, fix in (*geolife(), *couriers()):
        found[device][fix.moment] = fix
    return {device: [fixes[each] for each in sorted(fixes)] for device, fixes in found.items()}


@pytest.fixture(scope="module")
def stops(traces: dict[str, list[Fix]], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    path = tmp_path_factory.mktemp("traces") / "warehouse.duckdb"
    create_raw_tables(path)
    rows = [
        {"device_id": device, "positioned_at": fix.moment, "received_at": fix.moment,
         "latitude": fix.latitude, "longitude": fix.longitude}
        for device, fixes in traces.items()
        for fix in fixes
    ]  # fmt: skip
    insert_rows(path, "telematics", "positions", rows)
    assert run_dbt(path, "run", "--select", "+canonical_vehicle_stops").success
    return query(path, "SELECT * FROM canonical.canonical_vehicle_stops ORDER BY device_id, started_at")


def diagonal_m(fixes: Sequence[Fix]) -> float:
    """Of the smallest box that holds them all."""
    latitudes, longitudes = [each.latitude for each in fixes], [each.longitude for each in fixes]
    north = (max(latitudes) - min(latitudes)) * METRES
    east = (max(longitudes) - min(longitudes)) * METRES * math.cos(math.radians(min(latitudes)))
    return math.hypot(north, east)


def longest_stay_s(fixes: Sequence[Fix]) -> float:
    """The longest stretch without a long silence that stays in a box, tried from every fix."""
    longest = 0.0
    for first in range(len(fixes)):
        last = first
        while last + 1 < len(fixes):
            if (fixes[last + 1].moment - fixes[last].moment).total_seconds() > SILENCE_S:
                break
            if diagonal_m(fixes[first : last + 2]) > BOX_M:
                break
            last += 1
        longest = max(longest, (fixes[last].moment - fixes[first].moment).total_seconds())
    return longest


def within(fixes: Sequence[Fix], stop: dict[str, Any]) -> list[Fix]:
    return [each for each in fixes if stop["started_at"] <= each.moment <= stop["last_seen_at"]]


def test_a_trace_has_a_stop_when_somebody_stayed_and_none_when_nobody_did(
    traces: dict[str, list[Fix]], stops: list[dict[str, Any]]
) -> None:
    longest = {device: longest_stay_s(fixes) for device, fixes in traces.items()}
    found = {stop["device_id"] for stop in stops}
    assert {device for device, stay in longest.items() if stay >= STANDING_S + ON_THE_EDGE_S} <= found
    assert {device for device, stay in longest.items() if stay < STANDING_S}.isdisjoint(found)
    assert len(found) >= 20


def test_no_stop_reaches_over_a_silence_of_five_hours_or_of_a_quarter_of_one(
    traces: dict[str, list[Fix]], stops: list[dict[str, Any]]
) -> None:
    silences = {
        device: [
            (one.moment, two.moment)
            for one, two in pairwise(fixes)
            if (two.moment - one.moment).total_seconds() > SILENCE_S
        ]
        for device, fixes in traces.items()
    }
    assert max(e - b for all_ in silences.values() for b, e in all_).total_seconds() > 5 * 3600
    over = [
        stop["device_id"]
        for stop in stops
        for begin, end in silences[stop["device_id"]]
        if stop["started_at"] < end and stop["last_seen_at"] > begin
    ]
    assert over == []


def test_every_five_minutes_of_a_stop_fit_into_its_box(
    traces: dict[str, list[Fix]], stops: list[dict[str, Any]]
) -> None:
    for stop in stops:
        fixes = within(traces[stop["device_id"]], stop)
        assert (fixes[-1].moment - fixes[0].moment).total_seconds() >= STANDING_S
        assert len(fixes) == stop["fix_count"]
        begins = [each for each in fixes if (fixes[-1].moment - each.moment).total_seconds() >= STANDING_S]
        for begin in begins:
            stretch = [e for e in fixes if 0 <= (e.moment - begin.moment).total_seconds() < STANDING_S]
            assert diagonal_m(stretch) <= 2 * BOX_M, stop
    assert stops


def test_couriers_stand_on_foot_more_than_behind_the_wheel(
    traces: dict[str, list[Fix]], stops: list[dict[str, Any]]
) -> None:
    labels = {
        label: [f for fs in traces.values() for f in fs if f.label == label]
        for label in ("OnFoot", "Driving")
    }
    stood = [fix for stop in stops for fix in within(traces[stop["device_id"]], stop) if fix.label]
    share = {label: sum(f.label == label for f in stood) / len(all_) for label, all_ in labels.items()}
    assert share["OnFoot"] > share["Driving"], share
