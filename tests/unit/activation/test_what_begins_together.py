"""As many rows begin in one transaction as are sent at a time, where the destination is quick; and what comes in between is heard."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Lock

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from activation import pace
from activation.attempt import Attempt, Begun, Found, Submitted
from activation.document import document_of, effect_of
from activation.push import Pusher
from activation.result import PushResult
from contracts.outbound import OutboundDocument
from core.connections import Connection, Destination
from core.settings import Settings
from state import decisions, kill_switch, leases, ledger, outbox
from state.engine import open_state
from state.kill_switch import Scope
from state.outbox_intake import enqueue_all
from state.outbox_rows import OutboxRow
from tests.simulation.erp import BEGINNING, Clock, SimulatedErp
from tests.simulation.world import released, row_of
from tests.support.approved_rules import let_in

ROWS = 40


class Erp(SimulatedErp):
    """Well; what it is told to make takes ``slow``."""

    slow = timedelta(0)

    def __init__(self, clock: Clock) -> None:
        super().__init__(random.Random(1), clock, is_one_step=False, is_well=True)
        self._ticking = Lock()

    def create(self, document: OutboundDocument) -> str:
        with self._ticking:
            self.clock.now += self.slow
        return super().create(document)

    def _travel(self) -> None:
        """No time passes on the way."""


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    found = open_state(Settings(home=tmp_path, state_url=state_url))
    let_in(found, "r")
    decisions.record(found, [released(row_of(number)) for number in range(ROWS)])
    return found


@pytest.fixture
def erp() -> Erp:
    return Erp(Clock())


def connection(**declared: int) -> Connection:
    return Connection(
        connection="erp", kind="erp", adapter="frappe", owner="finance",
        destination=Destination(settle_s=60, **declared),
    )  # fmt: skip


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How many transactions began so many rows."""
    seen: Counter[int] = Counter()
    begin = Attempt.begin

    def counted(self: Attempt, rows: Sequence[OutboxRow], ahead: Found) -> list[Begun]:
        seen[len(rows)] += 1
        return begin(self, rows, ahead)

    monkeypatch.setattr(Attempt, "begin", counted)
    return seen


def push_all(engine: Engine, erp: Erp, **declared: int) -> None:
    pusher = Pusher(engine, connection(**declared), erp, PushResult(), now=erp.clock)
    pusher.enqueue([row_of(number) for number in range(ROWS)])
    while pusher.send_due():
        pass
    assert Counter(row.state for row in outbox.rows(engine)) == {"ACKED": ROWS}
    assert set(erp.posted().values()) == {1}
    assert ledger.verify(engine).problem is None


def test_as_many_begin_together_as_are_sent_at_a_time(
    engine: Engine, erp: Erp, together: Counter[int]
) -> None:
    push_all(engine, erp, max_concurrency=4)
    assert max(together) == 4
    # Whether it is quick is not known before the first has ended.
    assert together[4] >= ROWS // 4 - 4


def test_at_a_slow_destination_each_begins_alone(engine: Engine, erp: Erp, together: Counter[int]) -> None:
    erp.slow = timedelta(seconds=1)
    push_all(engine, erp, max_concurrency=4)
    assert together == {1: ROWS}


def test_where_one_is_sent_at_a_time_each_begins_alone(
    engine: Engine, erp: Erp, together: Counter[int]
) -> None:
    push_all(engine, erp, max_concurrency=1)
    assert together == {1: ROWS}


def test_at_a_declared_rate_each_begins_alone(
    engine: Engine, erp: Erp, together: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace.Pace, "wait", lambda _: None)
    push_all(engine, erp, max_concurrency=4, max_per_minute=6000)
    assert together == {1: ROWS}


class Standing:
    """Two rows that have begun together, and what may come in between; they are sent ``pause`` seconds later."""

    pause = 0.05

    def __init__(self, engine: Engine, erp: Erp) -> None:
        self.engine, self.erp = engine, erp
        self.attempt = Attempt(engine, connection(), erp, "worker", erp.clock)
        rows = [row_of(number) for number in range(2)]
        with engine.begin() as db:
            enqueue_all(db, [effect_of(row, document_of(row)) for row in rows], BEGINNING)
        until = BEGINNING + timedelta(minutes=2)
        self.leased = leases.lease(engine, "erp", "worker", BEGINNING, until, 2)

    def ends(self, meanwhile: Callable[[], object]) -> list[str]:
        """The states in which both end when something happens before they are sent."""
        begun = self.attempt.begin(self.leased, {})
        self.wait(self.pause)
        meanwhile()
        ends = [self.attempt.send(each) for each in begun]
        self.attempt.read_back([each for each in ends if isinstance(each, Submitted)])
        self.attempt.books.flush()
        return [row.state for row in outbox.rows(self.engine)]

    def pull(self, company: str) -> None:
        kill_switch.pull(self.engine, Scope("company", company), "anna", "wrong prices", BEGINNING)

    def take_back(self, number: int) -> None:
        blocked = {"verdict": "blocked", "codes": ("POD_VOIDED",)}
        decisions.record(self.engine, [released(row_of(number), decision_id="later", **blocked)])

    def wait(self, seconds: float) -> None:
        self.erp.clock.now += timedelta(seconds=seconds)


@pytest.fixture
def standing(engine: Engine, erp: Erp) -> Standing:
    return Standing(engine, erp)


def test_nothing_in_between_keeps_none(standing: Standing) -> None:
    assert standing.ends(lambda: None) == ["ACKED", "ACKED"]


def test_a_switch_that_is_pulled_at_the_moment_of_sending_finds_them_in_flight(standing: Standing) -> None:
    standing.pause = 0.049
    assert standing.ends(lambda: standing.pull(standing.leased[0].company)) == ["ACKED", "ACKED"]


def test_a_switch_that_is_pulled_in_between_stops_them(standing: Standing) -> None:
    assert standing.ends(lambda: standing.pull(standing.leased[0].company)) == ["RETRY_WAIT", "RETRY_WAIT"]
    assert not standing.erp.posted()
    assert not any(row.may_exist for row in outbox.rows(standing.engine))


def test_a_switch_of_another_company_does_not(standing: Standing) -> None:
    assert standing.ends(lambda: standing.pull("another")) == ["ACKED", "ACKED"]


def test_a_release_that_is_taken_back_in_between_stops_that_one(standing: Standing) -> None:
    assert standing.ends(lambda: standing.take_back(1)) == ["ACKED", "RETRY_WAIT"]


@pytest.mark.parametrize(
    ("seconds", "states"), [(4.9, ["ACKED", "ACKED"]), (5.0, ["RETRY_WAIT", "RETRY_WAIT"])]
)
def test_what_waited_too_long_begins_anew(standing: Standing, seconds: float, states: list[str]) -> None:
    standing.pause = 0
    assert standing.ends(lambda: standing.wait(seconds)) == states
