"""Working seconds between two instants, by the SQL's calendars and by walking every minute of them."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from tests.support.warehouse import query, run_dbt

Stretch = tuple[datetime, datetime]
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "UTC")
HOURS: dict[str, dict[int, list[tuple[int, int]]]] = {
    "default": {day: [(480, 1080)] for day in range(1, 6)},
    "with_a_break": {day: [(360, 720), (750, 1290)] for day in range(1, 7)},
    "day_and_night": {day: [(0, 1440)] for day in range(1, 8)},
}
SITES = {("broken", "Europe/Berlin"): "with_a_break", (None, "America/New_York"): "day_and_night"}
HOLIDAYS = {("with_a_break", date(2026, 10, 28)), ("day_and_night", date(2026, 11, 1))}
FIRST, LAST = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)
CHANGES = [datetime(2026, month, day, 3, tzinfo=UTC) for month, day in ((3, 29), (10, 25), (3, 8), (11, 1))]
"""Nights on which clocks change, in Europe and in America."""


def stretches(calendar: str, zone: str) -> list[Stretch]:
    found = []
    day = FIRST.date() - timedelta(days=2)
    while day < LAST.date() + timedelta(days=2):
        if (calendar, day) not in HOLIDAYS:
            for opens, closes in HOURS[calendar].get(day.isoweekday(), []):
                found.append((at_wall(day, opens, zone), at_wall(day, closes, zone)))
        day += timedelta(days=1)
    return found


def at_wall(day: date, minute: int, zone: str) -> datetime:
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def working_s(start: datetime, end: datetime, of: list[Stretch]) -> float:
    parts = (min(end, closes) - max(start, opens) for opens, closes in of)
    return sum(max(part.total_seconds(), 0.0) for part in parts)


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


@pytest.fixture(scope="module")
def filled(empty_marts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("business") / "warehouse.duckdb"
    shutil.copy(empty_marts, path)
    with duckdb.connect(str(path)) as db:
        db.execute("SET TimeZone = 'UTC'")
        write_calendars(db)
        write_shipments(db)
    # The views were built over nothing, and show nothing until they are built again.
    views = ("int_working_sites", "int_working_days", "int_shipment_working_times", "int_kpi__*_times")
    assert run_dbt(path, "run", "--select", *views).success
    return path


def write_calendars(db: duckdb.DuckDBPyConnection) -> None:
    for name in ("working_hours", "working_sites", "holidays"):
        db.execute(f"DELETE FROM canonical.{name}")
    for calendar, week in HOURS.items():
        for weekday, parts in week.items():
            times = [clock(minute) for part in parts for minute in part]
            row = [calendar, weekday, *times, *[None] * (4 - len(times))]
            db.execute("INSERT INTO canonical.working_hours VALUES (?, ?, ?, ?, ?, ?)", row)
    for (depot, zone), calendar in SITES.items():
        db.execute("INSERT INTO canonical.working_sites VALUES (?, ?, ?)", [depot, zone, calendar])
    for calendar, day in HOLIDAYS:
        db.execute("INSERT INTO canonical.holidays VALUES (?, ?, 'closed')", [calendar, day])


def write_shipments(db: duckdb.DuckDBPyConnection) -> None:
    """Every second one about one of the nights on which clocks change."""
    rng = random.Random(11)
    for number in range(300):
        around = rng.choice(CHANGES) if number % 2 else FIRST + (LAST - FIRST) * rng.random()
        start = around + timedelta(microseconds=rng.randrange(-2 * 86400 * 10**6, 86400 * 10**6))
        end = min(start + timedelta(seconds=rng.choice((60, 4000, 90_000, 900_000)) * rng.random()), LAST)
        db.execute(
            "INSERT INTO marts.fct_shipments (shipment_id, shipment_no, depot_id, origin_zone, "
            "destination_zone, confirmed_at, departed_at, is_cancelled_before_dispatch, time_quality, as_of) "
            "VALUES ($id, $id, $depot, $zone, 'UTC', $start, $end, false, 'exact', $last)",
            {"id": str(number), "depot": rng.choice(("broken", "other")), "zone": rng.choice(ZONES),
             "start": start, "end": max(start, end), "last": LAST},
        )  # fmt: skip


def test_the_sql_counts_what_walking_through_the_calendar_counts(filled: Path) -> None:
    rows = query(
        filled,
        "SELECT shipments.depot_id, origin_zone, confirmed_at, departed_at, duration_s, standing "
        "FROM intermediate.int_kpi__business_times AS facts "
        "JOIN marts.fct_shipments AS shipments ON facts.entity_id = shipments.shipment_id "
        "WHERE metric = 'order_to_dispatch_s'",
    )
    known: dict[tuple[str, str], list[Stretch]] = {}
    wrong = []
    for row in rows:
        zone = row["origin_zone"]
        calendar = SITES.get((row["depot_id"], zone)) or SITES.get((None, zone)) or "default"
        of = known.setdefault((calendar, zone), stretches(calendar, zone))
        expected = working_s(row["confirmed_at"], row["departed_at"], of)
        if row["standing"] != "in" or row["duration_s"] != pytest.approx(expected, abs=2e-6):
            wrong.append((row, expected))
    assert len(rows) == 300
    assert wrong == []


def test_business_hours_are_never_more_than_the_hours_of_the_clock(filled: Path) -> None:
    assert not query(
        filled,
        "SELECT 1 FROM intermediate.int_kpi__business_times AS business "
        "JOIN intermediate.int_kpi__cycle_times AS plain USING (metric, entity_id) "
        "WHERE plain.variant = 'default' AND business.duration_s > plain.duration_s + 1e-5",
    )
