"""The world's clock: what the Date header says, and that a restart never turns it back."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.clock import WorldClock, instant, keep, start

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)


def test_a_first_start_begins_at_the_worlds_now(tmp_path: Path) -> None:
    clock = start(NOW, tmp_path / "clock.json", 1.0)
    assert timedelta(0) <= clock.now() - NOW < timedelta(seconds=5)


def test_speed_stretches_the_time_that_passes() -> None:
    clock = WorldClock(NOW, time.monotonic() - 10, speed=360.0)
    assert timedelta(hours=1) <= clock.now() - NOW < timedelta(hours=1, minutes=5)


def test_a_restart_goes_on_where_the_last_run_ended(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    keep(WorldClock(NOW, time.monotonic() - 100), NOW, file, running=False)
    again = start(NOW, file, 1.0)
    assert timedelta(seconds=100) <= again.now() - NOW < timedelta(seconds=105)


def test_a_killed_run_does_not_turn_the_clock_back(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    running = WorldClock(NOW, time.monotonic() - 100)
    keep(running, NOW, file, running=True)
    assert json.loads(file.read_text())["elapsed_s"] >= 101
    assert start(NOW, file, 1.0).now() > running.now()


def test_the_header_is_an_http_date() -> None:
    assert WorldClock(NOW, time.monotonic(), speed=0.001).http_date() == b"Fri, 13 Nov 2026 17:00:00 GMT"


def test_stored_instants_sort_as_text() -> None:
    assert instant(NOW) == "2026-11-13T17:00:00.000000Z"
    assert instant(NOW) < instant(NOW + timedelta(microseconds=1))
