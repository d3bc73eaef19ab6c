"""Retries are bounded by what is new, by time, and by what they bring about."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine

from activation.retry_budget import RetryBudget
from core.settings import Settings
from state import pushers
from state.engine import open_state
from state.pushers import Pusher
from tests.simulation.erp import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None, clock: Clock) -> Engine:
    """A store that a push has named the destination in."""
    engine = open_state(Settings(home=tmp_path, state_url=state_url))
    with engine.begin() as db:
        pushers.enter(db, Pusher("w", "erp", {}), clock(), clock(), lambda _: False)
    return engine


@pytest.fixture
def budget(engine: Engine, clock: Clock) -> RetryBudget:
    return RetryBudget(engine, "erp", clock)


def use_up(budget: RetryBudget) -> int:
    made: list[int] = []

    def retry(_: Connection, most: int) -> int:
        made.append(most)
        return most

    budget.use(retry)
    return made[0]


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


def test_what_is_saved_up_beyond_ten_is_kept_for_a_minute(budget: RetryBudget, clock: Clock) -> None:
    for _ in range(10):
        budget.note(first=False, posted=True)
    budget.use(lambda *_: 0)
    clock.pass_s(59)
    assert budget.left == 20
    clock.pass_s(1)
    assert budget.left == 10


def test_two_pushes_share_one_and_what_one_brings_about_is_left_to_the_other(
    engine: Engine, budget: RetryBudget, clock: Clock
) -> None:
    other = RetryBudget(engine, "erp", clock)
    use_up(budget)
    assert (other.left, use_up(other)) == (0, 0)
    for _ in range(3):
        budget.note(first=False, posted=True)
    with engine.begin() as db:
        budget.keep(db)
    assert other.left == 3
    assert RetryBudget(engine, "another", clock).left == 10
