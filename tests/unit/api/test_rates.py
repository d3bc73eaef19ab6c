"""Who asks too often is told when to come again, and nobody waits for longer than has to be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api.problems import Problem
from api.rates import Limiter, Rates


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def refused(hit: Callable[[], None]) -> int | None:
    """Seconds until it may be sent again; None when it was let in."""
    try:
        hit()
    except Problem as problem:
        assert problem.status == 429
        return int(problem.headers["Retry-After"])
    return None


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_minute_holds_so_many_and_moves(clock: Clock) -> None:
    limiter = Limiter(Rates(100, 3), clock)
    for _ in range(3):
        assert refused(lambda: limiter.key("k")) is None
        clock.now += 10
    assert refused(lambda: limiter.key("k")) == 30
    clock.now += 29.5
    assert refused(lambda: limiter.key("k")) == 1
    clock.now += 0.5
    assert refused(lambda: limiter.key("k")) is None
    assert refused(lambda: limiter.key("k")) == 10, "the next place is free when the second is a minute old"


def test_what_is_refused_does_not_count(clock: Clock) -> None:
    limiter = Limiter(Rates(100, 1), clock)
    assert refused(lambda: limiter.key("k")) is None
    for _ in range(10):
        assert refused(lambda: limiter.key("k")) is not None
        clock.now += 5.9
    clock.now += 1.0
    assert refused(lambda: limiter.key("k")) is None


def test_one_does_not_pay_for_another(clock: Clock) -> None:
    limiter = Limiter(Rates(1, 1), clock)
    assert refused(lambda: limiter.key("k")) is None
    assert refused(lambda: limiter.key("other")) is None
    assert refused(lambda: limiter.address("k")) is None
    assert refused(lambda: limiter.address("k")) is not None


def test_who_guesses_keys_is_shut_out_until_the_minute_is_over(clock: Clock) -> None:
    limiter = Limiter(Rates(100, 100, 2), clock)
    for _ in range(2):
        assert refused(lambda: limiter.address("a")) is None
        limiter.failed("a")
    assert refused(lambda: limiter.address("a")) == 60
    clock.now += 60
    assert refused(lambda: limiter.address("a")) is None


def test_who_does_not_come_any_more_is_forgotten(clock: Clock) -> None:
    limiter = Limiter(Rates(100, 100), clock)
    for number in range(50):
        limiter.address(f"a{number}")
    clock.now += 30
    limiter.address("b")
    clock.now += 31
    limiter.address("c")
    assert {name for _, name in limiter._windows} == {"b", "c"}
