"""What a destination allows holds over all pushers together, and none begins that goes by other settings than one that lives."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from activation import allowance as module
from activation.allowance import TURNS, Allowance, settings_of
from core.connections import Connection, Destination
from core.errors import ConfigurationError
from core.settings import Settings
from state.engine import open_state, reading
from state.tables import ledger
from state.tables_of_pushers import pushers
from tests.simulation.erp import Clock


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    return open_state(Settings(home=tmp_path, state_url=state_url))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def connection(url: str = "https://erp.example/site", **declared: Any) -> Connection:
    destination = Destination(**({"max_concurrency": 4, "settle_s": 60} | declared))
    return Connection(
        connection="erp", kind="erp", adapter="frappe", owner="f", base_url=url, destination=destination
    )


def pusher(engine: Engine, clock: Clock, name: str, **declared: Any) -> Allowance:
    return Allowance(engine, connection(**declared), f"host:1:1:{name}", clock)


def take(engine: Engine, one: Allowance, due: int = 1000, together: int = 4) -> tuple[int, int]:
    """Rows that it may begin, and how many at a time."""
    with engine.begin() as db:
        rows = one.take(db, due, together)
    return rows, one.at_a_time


def leave(engine: Engine, one: Allowance) -> None:
    with engine.begin() as db:
        one.leave(db)


def changes(engine: Engine) -> list[dict[str, Any]]:
    with reading(engine) as db:
        query = select(ledger.c.detail).where(ledger.c.event == "destination_settings")
        return list(db.scalars(query.order_by(ledger.c.sequence)))


def test_one_alone_has_all_of_it_and_two_have_half_each(engine: Engine, clock: Clock) -> None:
    first, second = pusher(engine, clock, "a"), pusher(engine, clock, "b")
    assert take(engine, first) == (4 * TURNS, 4)
    assert (take(engine, second), second.is_short) == ((0, 0), True), "the first has all under way"
    assert take(engine, first) == (2 * TURNS, 2)
    assert (take(engine, second), second.is_short) == ((2 * TURNS, 2), False)
    leave(engine, first)
    assert take(engine, second) == (4 * TURNS, 4)


def test_however_many_push_no_more_is_under_way_than_is_allowed(engine: Engine, clock: Clock) -> None:
    many = [pusher(engine, clock, str(number)) for number in range(7)]
    for _ in range(3):
        for each in many:
            take(engine, each)
            assert sum(other.at_a_time for other in many) <= 4
    assert sum(each.at_a_time for each in many) == 4


def test_who_has_nothing_under_way_leaves_it_to_the_others(engine: Engine, clock: Clock) -> None:
    first, second = pusher(engine, clock, "a"), pusher(engine, clock, "b")
    take(engine, first, together=1)
    assert take(engine, second, together=1) == (0, 0)
    first.rest()
    assert take(engine, second, together=1) == (TURNS, 1)
    assert take(engine, first, due=0, together=1) == (0, 0)
    assert not first.is_short


@pytest.mark.parametrize("gone", [True, False], ids=["ended", "unheard"])
def test_the_share_of_one_that_died_comes_back(
    engine: Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    dead, other = pusher(engine, clock, "dead"), pusher(engine, clock, "b")
    take(engine, dead)
    assert take(engine, other) == (0, 0)
    if gone:
        monkeypatch.setattr(module, "is_gone", lambda worker: worker.endswith("dead"))
    else:
        clock.now += timedelta(seconds=240)
    assert take(engine, other) == (4 * TURNS, 4)


def test_a_minute_has_no_more_turns_for_two_than_for_one(engine: Engine, clock: Clock) -> None:
    """Sixty a minute: ten seconds of turns for each, and none beyond what begins while a lease lasts."""
    pair = [pusher(engine, clock, name, max_per_minute=60) for name in "ab"]
    given = []
    for number in range(8):
        rows, _ = take(engine, pair[number % 2], together=64)
        given.append((rows, pair[number % 2].delay_s))
    assert given == [(10, 0), (10, 10), (10, 20), (10, 30), (10, 40), (10, 50), (10, 60), (0, 0)]
    assert pair[1].is_short
    clock.pass_s(100)
    assert (take(engine, pair[0])[0], pair[0].delay_s) == (10, 0), "what was not used is not saved up"


def test_without_a_rate_all_begin_at_once(engine: Engine, clock: Clock) -> None:
    one = pusher(engine, clock, "a")
    for _ in range(20):
        assert (take(engine, one)[0], one.delay_s) == (4 * TURNS, 0)


@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [("settle_s", 60, 5), ("enforces_uniqueness", False, True), ("two_step", True, False),
     ("max_concurrency", 4, 8), ("max_per_minute", None, 30), ("key_lifetime_s", None, 60)],
)  # fmt: skip
def test_other_settings_are_refused_while_another_pushes_and_taken_afterwards(
    engine: Engine, clock: Clock, name: str, theirs: Any, ours: Any
) -> None:
    first = pusher(engine, clock, "a", **{name: theirs})
    first.stay()
    second = pusher(engine, clock, "b", **{name: ours})
    with pytest.raises(ConfigurationError) as refused:
        second.stay()
    assert name in refused.value.message
    assert "host:1:1:a" in refused.value.message
    assert "same connection file" in refused.value.remedy
    with reading(engine) as db:
        assert list(db.scalars(select(pushers.c.worker))) == ["host:1:1:a"]
    leave(engine, first)
    second.stay()
    assert changes(engine)[-1] == {"from": {name: settings_of(connection(**{name: theirs}))[name]},
                                   "to": {name: settings_of(connection(**{name: ours}))[name]}}  # fmt: skip
    assert len(changes(engine)) == 2


def test_the_same_settings_push_beside_each_other_and_are_told_once(engine: Engine, clock: Clock) -> None:
    pusher(engine, clock, "a").stay()
    pusher(engine, clock, "b").stay()
    pusher(engine, clock, "c", go_live_at="2026-11-10T00:00:00+00:00").stay()
    assert [each["from"] for each in changes(engine)] == [None]


def test_who_was_not_heard_of_and_comes_back_to_other_settings_is_refused(
    engine: Engine, clock: Clock
) -> None:
    first = pusher(engine, clock, "a")
    first.stay()
    clock.pass_s(240)
    pusher(engine, clock, "b", settle_s=5).stay()
    with pytest.raises(ConfigurationError, match="settle_s"):
        take(engine, first)


def test_no_secret_is_kept_of_an_address() -> None:
    found = settings_of(connection("https://user:canary@erp.example/site?token=canary"))
    assert found["base_url"] == "https://erp.example/site"
    assert "canary" not in str(found)
