"""An ERP in trouble is left alone, tried with a look-up, and sent to one by one before it counts as well."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import Engine

from activation.breaker import LONGEST_S, OPENING_S, TO_POST, Breaker
from activation.destinations.base import NotAppliedError, PostedInvoice, UncertainError
from activation.push import Pusher
from activation.result import PushResult
from contracts.outbound import OutboundDocument
from core.connections import Connection, Destination
from core.settings import Settings
from state import breakers, decisions, outbox
from state.engine import open_state
from tests.simulation.erp import BEGINNING, Clock, SimulatedErp
from tests.simulation.world import released, row_of
from tests.support.approved_rules import let_in

HOUR = timedelta(hours=1)


class DownErp(SimulatedErp):
    """Refuses every connection until ``up_at``; counts what it is asked."""

    up_at = BEGINNING
    look_ups = 0
    asked_ahead = 0

    def look_up_all(self, idempotency_keys: Sequence[str]) -> dict[str, list[PostedInvoice]]:
        self.asked_ahead += 1
        if self.clock.now < self.up_at:
            raise NotAppliedError("Nobody listens.", remedy="Wait.")
        return super().look_up_all(idempotency_keys)

    def look_up(self, idempotency_key: str) -> list[PostedInvoice]:
        self.look_ups += 1
        if self.clock.now < self.up_at:
            raise NotAppliedError("Nobody listens.", remedy="Wait.")
        return super().look_up(idempotency_key)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_state(Settings(home=tmp_path))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(engine: Engine, clock: Clock) -> Breaker:
    return Breaker(engine, "erp", clock)


def answers() -> bool:
    return True


def is_silent() -> bool:
    return False


def nobody_asks() -> NoReturn:
    raise AssertionError("no probe is due")


def open_it(breaker: Breaker) -> None:
    for _ in range(20):
        breaker.note(ok=False)


def test_nineteen_failures_leave_it_closed_and_the_twentieth_opens_it(breaker: Breaker) -> None:
    for _ in range(19):
        breaker.note(ok=False)
    assert breaker.at_a_time(8, nobody_asks) == 8
    breaker.note(ok=False)
    assert breaker.is_open
    assert breaker.at_a_time(8, nobody_asks) == 0


def test_nine_failures_of_twenty_leave_it_closed_and_ten_open_it(breaker: Breaker) -> None:
    for number in range(20):
        breaker.note(ok=number >= 9)
    assert not breaker.is_open
    for _ in range(2):
        breaker.note(ok=False)
    assert breaker.is_open


def test_what_failed_more_than_a_minute_ago_does_not_count(breaker: Breaker, clock: Clock) -> None:
    for _ in range(19):
        breaker.note(ok=False)
    clock.pass_s(61)
    breaker.note(ok=False)
    assert not breaker.is_open


def test_each_failed_probe_doubles_the_wait_up_to_ten_minutes(
    breaker: Breaker, engine: Engine, clock: Clock
) -> None:
    open_it(breaker)
    waits = []
    for _ in range(7):
        trouble = breakers.of(engine, "erp")
        assert trouble is not None
        waits.append(trouble.opening_s)
        clock.pass_s(trouble.opening_s - 1)
        assert breaker.at_a_time(8, nobody_asks) == 0
        clock.pass_s(1)
        assert breaker.at_a_time(8, is_silent) == 0
    assert waits == [OPENING_S, 60, 120, 240, 480, LONGEST_S, LONGEST_S]


def test_after_a_good_probe_one_at_a_time_until_five_have_posted(
    breaker: Breaker, engine: Engine, clock: Clock
) -> None:
    open_it(breaker)
    clock.pass_s(OPENING_S)
    assert breaker.at_a_time(8, answers) == 1
    for _ in range(TO_POST):
        assert breaker.at_a_time(8, nobody_asks) == 1
        breaker.note(ok=True)
        breaker.note(ok=True, posted=True)
    assert breaker.at_a_time(8, nobody_asks) == 8
    assert breakers.of(engine, "erp") is None


def test_a_failure_among_the_five_opens_it_for_twice_as_long(
    breaker: Breaker, engine: Engine, clock: Clock
) -> None:
    open_it(breaker)
    clock.pass_s(OPENING_S)
    breaker.at_a_time(8, answers)
    breaker.note(ok=True, posted=True)
    breaker.note(ok=False)
    assert breaker.is_open
    trouble = breakers.of(engine, "erp")
    assert trouble is not None
    assert (trouble.opening_s, trouble.left_to_post) == (2 * OPENING_S, TO_POST)


def test_another_push_finds_it_open(breaker: Breaker, engine: Engine, clock: Clock) -> None:
    open_it(breaker)
    assert Breaker(engine, "erp", clock).at_a_time(8, nobody_asks) == 0
    assert Breaker(engine, "another", clock).at_a_time(8, nobody_asks) == 8


def pushers(engine: Engine, erp: SimulatedErp, clock: Clock, many: int) -> Pusher:
    """A push of so many released rows, one at a time."""
    random.seed(1)
    rows = [row_of(number) for number in range(many)]
    let_in(engine, "r")
    decisions.record(engine, [released(row) for row in rows])
    connection = Connection(
        connection="erp", kind="erp", adapter="frappe", owner="finance",
        destination=Destination(settle_s=81, max_concurrency=1, two_step=not erp.is_one_step),
    )  # fmt: skip
    pusher = Pusher(engine, connection, erp, PushResult(), now=clock)
    pusher.enqueue(rows)
    return pusher


def play(pusher: Pusher, clock: Clock, until_s: float, every_s: int = 300) -> None:
    for _ in range(int(until_s // every_s)):
        pusher.recover()
        pusher.promote()
        pusher.send_due()
        clock.pass_s(every_s)


def test_an_erp_that_is_down_for_a_day_loses_nothing_and_is_drained_in_order(
    engine: Engine, clock: Clock
) -> None:
    erp = DownErp(random.Random(1), clock, is_one_step=True, is_well=True)
    erp.up_at = BEGINNING + 24 * HOUR
    pusher = pushers(engine, erp, clock, 60)
    play(pusher, clock, 24 * 3600)
    assert erp.creates == 0
    assert {row.state for row in outbox.rows(engine)} <= {"READY", "RETRY_WAIT"}
    # 288 rounds: without the breaker each of them would ask for every row that is due.
    assert erp.look_ups + erp.asked_ahead < 20 + 288
    play(pusher, clock, 3 * 3600)
    assert {row.state for row in outbox.rows(engine)} == {"ACKED"}
    assert set(erp.posted().values()) == {1}
    assert len(erp.posted()) == 60
    # Those that nobody had tried before follow each other as they were enqueued.
    untried = [row.idempotency_key for row in outbox.rows(engine) if row.attempt_count == 1]
    posted = [each.invoice.idempotency_key for each in erp.documents.values()]
    assert len(untried) > 1
    assert [key for key in posted if key in set(untried)] == untried


def test_what_nobody_answered_for_three_days_is_held(engine: Engine, clock: Clock) -> None:
    erp = DownErp(random.Random(1), clock, is_one_step=True, is_well=True)
    erp.up_at = BEGINNING + 100 * HOUR
    pusher = pushers(engine, erp, clock, 1)
    play(pusher, clock, 71 * 3600, every_s=3600)
    assert {row.state for row in outbox.rows(engine)} <= {"READY", "RETRY_WAIT"}
    play(pusher, clock, 3 * 3600, every_s=3600)
    assert [row.state for row in outbox.rows(engine)] == ["HELD"]


class SilentErp(SimulatedErp):
    """Takes invoices and never says so."""

    def create(self, document: OutboundDocument) -> str:
        raise UncertainError(f"No answer about {document.shipment_no}.", remedy="Look it up.")


def test_not_knowing_counts_as_a_failure(engine: Engine, clock: Clock) -> None:
    erp = SilentErp(random.Random(1), clock, is_one_step=True, is_well=True)
    pusher = pushers(engine, erp, clock, 40)
    pusher.send_due()
    assert len(outbox.rows(engine, "UNKNOWN")) == 20
    assert breakers.of(engine, "erp") is not None


class FarErp(DownErp):
    """Takes invoices and never says so, and answers no look-up of the keys ``unread``."""

    unread: frozenset[str] = frozenset()

    def create(self, document: OutboundDocument) -> str:
        super().create(document)
        raise UncertainError("No answer.", remedy="Look it up.")

    def look_up(self, idempotency_key: str) -> list[PostedInvoice]:
        found = super().look_up(idempotency_key)
        if idempotency_key in self.unread:
            raise UncertainError("An answer that nobody can read.", remedy="Mend it there.")
        return found


@pytest.fixture
def far(clock: Clock) -> FarErp:
    return FarErp(random.Random(1), clock, is_one_step=True, is_well=True)


def test_of_an_erp_that_is_away_little_is_asked_however_much_is_in_doubt(
    engine: Engine, clock: Clock, far: FarErp
) -> None:
    pusher = pushers(engine, far, clock, 40)
    pusher.send_due()
    doubtful = len(outbox.rows(engine, "UNKNOWN"))
    assert doubtful == 20
    far.up_at, far.look_ups = BEGINNING + 24 * HOUR, 0
    for _ in range(100):
        pusher.recover()
    # One about a row, and one whether it answers at all.
    assert far.look_ups == 2 * 100
    assert len(outbox.rows(engine, "UNKNOWN")) == doubtful
    far.up_at, far.look_ups = BEGINNING, 0
    clock.pass_s(60)
    pusher.recover()
    assert (far.look_ups, len(outbox.rows(engine, "ACKED"))) == (doubtful, doubtful)


def test_a_row_of_which_nothing_can_be_read_keeps_no_other_in_doubt(
    engine: Engine, clock: Clock, far: FarErp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_DOUBTFUL", 3)
    pusher = pushers(engine, far, clock, 40)
    pusher.send_due()
    rows = outbox.rows(engine, "UNKNOWN")
    far.unread = frozenset(row.idempotency_key for row in rows[:5])
    clock.pass_s(60)
    pusher.recover()
    assert {row.idempotency_key for row in outbox.rows(engine, "UNKNOWN")} == far.unread
    assert len(outbox.rows(engine, "ACKED")) == len(rows) - 5


def test_a_moment_sees_no_more_retries_than_the_budget_and_nothing_is_given_up(
    engine: Engine, clock: Clock
) -> None:
    erp = DownErp(random.Random(1), clock, is_one_step=True, is_well=True)
    pusher = pushers(engine, erp, clock, 18)
    erp.up_at = BEGINNING + HOUR
    pusher.send_due()
    assert erp.look_ups == 18
    clock.pass_s(30)
    pusher.promote()
    assert sum(row.state == "READY" for row in outbox.rows(engine)) == 11
    erp.up_at = BEGINNING
    play(pusher, clock, 3600)
    assert {row.state for row in outbox.rows(engine)} == {"ACKED"}
