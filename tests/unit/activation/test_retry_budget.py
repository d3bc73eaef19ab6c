"""Retries are bounded by what is new, by time, and by what they bring about."""

from __future__ import annotations

import pytest

from activation.retry_budget import RetryBudget
from tests.simulation.erp import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock: Clock) -> RetryBudget:
    return RetryBudget(clock)


def use_up(budget: RetryBudget) -> int:
    made = 0
    while budget.left:
        budget.spend()
        made += 1
    return made


def test_ten_are_there_to_begin_with(budget: RetryBudget) -> None:
    assert use_up(budget) == 10


def test_ten_first_attempts_allow_one_more(budget: RetryBudget) -> None:
    use_up(budget)
    for _ in range(9):
        budget.note(first=True, posted=True)
    assert budget.left == 0
    budget.note(first=True, posted=False)
    budget.note(first=True, posted=False)
    assert budget.left == 1


def test_one_that_posted_is_given_back_and_one_that_did_not_is_not(budget: RetryBudget) -> None:
    use_up(budget)
    budget.note(first=False, posted=False)
    assert budget.left == 0
    budget.note(first=False, posted=True)
    assert budget.left == 1


def test_time_gives_ten_a_minute_and_never_more_than_ten(budget: RetryBudget, clock: Clock) -> None:
    use_up(budget)
    clock.pass_s(6)
    assert budget.left == 1
    clock.pass_s(3600)
    assert budget.left == 10
