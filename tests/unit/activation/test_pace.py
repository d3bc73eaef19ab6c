"""A destination that declares a rate is asked no oftener, by however many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest

from activation.pace import Pace


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept, self._lock = 0.0, list[float](), Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)


def test_attempts_begin_evenly() -> None:
    clock = Clock()
    pace = Pace(120, clock, clock.sleep)
    for _ in range(4):
        pace.wait()
    assert clock.slept == pytest.approx([0.5, 1.0, 1.5])


def test_several_threads_take_turns() -> None:
    clock = Clock()
    pace = Pace(60, clock, clock.sleep)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: pace.wait(), range(8)))
    assert sorted(clock.slept) == pytest.approx(list(range(1, 8)))


def test_what_was_not_used_is_not_saved_up() -> None:
    clock = Clock()
    pace = Pace(60, clock, clock.sleep)
    pace.wait()
    clock.now = 100.0
    pace.wait()
    pace.wait()
    assert clock.slept == pytest.approx([1.0])


def test_without_a_rate_nobody_waits() -> None:
    clock = Clock()
    pace = Pace(None, clock, clock.sleep)
    for _ in range(100):
        pace.wait()
    assert clock.slept == []


def test_it_begins_when_its_turns_do() -> None:
    clock = Clock()
    pace = Pace(60, clock, clock.sleep)
    pace.begin_in(10.0)
    pace.wait()
    pace.wait()
    assert clock.slept == pytest.approx([10.0, 11.0])
