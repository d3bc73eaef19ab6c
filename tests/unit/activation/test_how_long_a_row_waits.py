"""A row waits as long as it was told, or for a random time that grows up to a quarter of an hour; three days in all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, update

from activation.backoff import CEILING_S, GIVE_UP, wait_s
from activation.destinations.base import NotAppliedError, PostedInvoice, RefusedError, UncertainError
from activation.destinations.retry_after import retry_after_s
from activation.endings import MAX_ATTEMPTS
from activation.push import Pusher
from activation.result import PushResult
from contracts.outbound import OutboundDocument
from core.connections import Connection, Destination
from core.settings import Settings
from state import decisions, outbox, proposals
from state.engine import open_state
from state.outbox_rows import OutboxEntry
from state.tables import outbox as table
from tests.simulation.erp import BEGINNING, Clock, SimulatedErp
from tests.simulation.world import released, row_of
from tests.support.approved_rules import let_in

HOUR_S = 3600
DAY_S = 24 * HOUR_S


@pytest.mark.parametrize(
    ("attempts", "ceiling"), [(1, 4), (3, 16), (8, 512), (9, 900), (10, 900), (1_024, 900), (10**6, 900)]
)
def test_the_jitter_is_full_and_has_a_ceiling(attempts: int, ceiling: int) -> None:
    random.seed(1)
    waits = [wait_s(attempts) for _ in range(1_000)]
    assert 0 <= min(waits) < ceiling * 0.05
    assert ceiling * 0.95 < max(waits) <= ceiling
    assert sum(wait < ceiling / 2 for wait in waits) in range(400, 600)


@pytest.mark.parametrize(
    ("told", "waits"),
    [(0.0, 0), (7.0, 7), (2 * CEILING_S, 1800), (30.0 * DAY_S, 72 * HOUR_S), (1e300, 72 * HOUR_S)],
)
@pytest.mark.parametrize("attempts", [1, 1_024])
def test_what_was_told_counts_up_to_three_days(attempts: int, told: float, waits: int) -> None:
    assert wait_s(attempts, told) == waits


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": "Fri, 13 Nov 2026 17:02:00 GMT", "Date": "Fri, 13 Nov 2026 17:00:00 GMT"}, 120),
        ({"Retry-After": "Fri, 13 Nov 2026 16:00:00 GMT", "Date": "Fri, 13 Nov 2026 17:00:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "²"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_both_forms_of_the_header_are_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(httpx.Headers({k: v.encode("latin-1") for k, v in headers.items()})) == seconds


def test_an_instant_without_the_servers_own_is_counted_from_now() -> None:
    far = retry_after_s(httpx.Headers({"Retry-After": "Fri, 13 Nov 2099 17:00:00 GMT"}))
    assert far is not None
    assert far > GIVE_UP.total_seconds()


class Scripted(SimulatedErp):
    """Well, and two steps; says no as often as ``creating`` and ``posting`` hold an error, and then takes it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(random.Random(1), clock, is_one_step=False, is_well=True)
        self.creating: list[Exception] = []
        self.posting: list[Exception] = []
        self.ignores_posts = False
        self.posts = 0

    def create(self, document: OutboundDocument) -> str:
        if self.creating:
            raise self.creating.pop(0)
        return super().create(document)

    def post(self, erp_id: str, document: OutboundDocument) -> None:
        self.posts += 1
        if self.posting:
            raise self.posting.pop(0)
        if not self.ignores_posts:
            super().post(erp_id, document)

    def look_up_all(self, idempotency_keys: Sequence[str]) -> dict[str, list[PostedInvoice]]:
        raise AssertionError("one row is looked up alone")

    def _travel(self) -> None:
        """No time passes on the way."""

    def _findable(self, idempotency_key: str) -> list[PostedInvoice]:
        return [each.invoice for each in self.by_key.get(idempotency_key, ())]


def busy(wait: float | None = None) -> NotAppliedError:
    return NotAppliedError("It answers 503.", remedy="Wait.", retry_after_s=wait)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_state(Settings(home=tmp_path))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def erp(clock: Clock) -> Scripted:
    return Scripted(clock)


@pytest.fixture
def pusher(engine: Engine, erp: Scripted, clock: Clock) -> Pusher:
    """A push of one released row, which is enqueued."""
    random.seed(1)
    connection = Connection(
        connection="erp", kind="erp", adapter="frappe", owner="finance",
        destination=Destination(settle_s=60, max_concurrency=1),
    )  # fmt: skip
    let_in(engine, "r")
    decisions.record(engine, [released(row_of(1))])
    made = Pusher(engine, connection, erp, PushResult(), now=clock)
    made.enqueue([row_of(1)])
    return made


def turn(pusher: Pusher) -> None:
    pusher.recover()
    pusher.promote()
    pusher.send_due()


def standing(engine: Engine) -> OutboxEntry:
    (row,) = outbox.rows(engine)
    return row


def test_a_header_of_thirty_days_ends_with_a_person_after_three(
    engine: Engine, clock: Clock, erp: Scripted, pusher: Pusher
) -> None:
    erp.creating = [busy(30.0 * DAY_S)]
    turn(pusher)
    clock.pass_s(3 * DAY_S - 1)
    turn(pusher)
    assert standing(engine).state == "RETRY_WAIT"
    clock.pass_s(2)
    turn(pusher)
    assert standing(engine).state == "HELD"


def test_what_waits_for_longer_than_three_days_need_not_be_due_to_be_held(
    engine: Engine, clock: Clock, erp: Scripted, pusher: Pusher
) -> None:
    erp.creating = [busy(60.0), busy(2.0 * DAY_S), busy(2.0 * DAY_S)]
    turn(pusher)
    for wait in (60, 2 * DAY_S):
        clock.pass_s(wait)
        turn(pusher)
    clock.pass_s(DAY_S - 60)
    turn(pusher)
    assert standing(engine).state == "RETRY_WAIT"
    clock.pass_s(1)
    turn(pusher)
    assert standing(engine).state == "HELD"


def test_how_long_a_row_lay_before_it_was_first_tried_does_not_count(
    engine: Engine, clock: Clock, erp: Scripted, pusher: Pusher
) -> None:
    clock.pass_s(4 * DAY_S)
    erp.creating = [busy(60.0)]
    turn(pusher)
    clock.pass_s(60)
    turn(pusher)
    assert standing(engine).state == "ACKED"


def test_what_was_refused_and_is_mended_days_later_begins_anew(
    engine: Engine, clock: Clock, erp: Scripted, pusher: Pusher
) -> None:
    erp.creating = [RefusedError("417", remedy="Mend the row."), busy(60.0)]
    turn(pusher)
    assert standing(engine).state == "DEAD"
    clock.pass_s(4 * DAY_S)
    mended = {**row_of(1), "content_hash": "mended", "customer_id": "C2"}
    pusher.enqueue([mended])
    turn(pusher)
    clock.pass_s(60)
    turn(pusher)
    assert standing(engine).state == "ACKED"


def test_what_two_people_gave_back_begins_anew_and_is_held_after_three_more_days(
    engine: Engine, clock: Clock, erp: Scripted, pusher: Pusher
) -> None:
    erp.creating = [busy(2.0 * DAY_S)] * 5
    turn(pusher)
    clock.pass_s(3 * DAY_S + 1)
    pusher.promote()
    assert standing(engine).state == "HELD"
    proposals.propose(engine, standing(engine), "READY", [], "anna", "it is up again", clock())
    proposals.confirm(engine, standing(engine), [], "boris", "it is", clock())
    turn(pusher)
    clock.pass_s(2 * DAY_S)
    turn(pusher)
    assert standing(engine).state == "RETRY_WAIT"
    clock.pass_s(DAY_S + 1)
    turn(pusher)
    assert standing(engine).state == "HELD"


def test_a_row_that_was_tried_more_than_a_thousand_times_waits_as_well(
    engine: Engine, clock: Clock, erp: Scripted, pusher: Pusher
) -> None:
    with engine.begin() as db:
        db.execute(update(table).values(attempt_count=1_100))
    erp.creating = [busy()]
    turn(pusher)
    row = standing(engine)
    assert row.state == "RETRY_WAIT"
    assert row.not_before is not None
    assert row.not_before - BEGINNING <= timedelta(seconds=CEILING_S)


def test_attempts_without_an_answer_use_up_none_of_the_ten(
    engine: Engine, clock: Clock, erp: Scripted, pusher: Pusher
) -> None:
    erp.creating = [busy(1.0)] * 12
    # The draft is made, and its post gets no answer: found as a draft after that.
    erp.posting = [UncertainError("No answer.", remedy="Look it up."), busy(1.0)]
    for _ in range(40):
        turn(pusher)
        clock.pass_s(CEILING_S)
    assert standing(engine).state == "ACKED"
    assert standing(engine).attempt_count > MAX_ATTEMPTS


def test_ten_answers_that_it_is_a_draft_are_enough(
    engine: Engine, clock: Clock, erp: Scripted, pusher: Pusher
) -> None:
    erp.ignores_posts = True
    for _ in range(40):
        turn(pusher)
        clock.pass_s(CEILING_S)
    row = standing(engine)
    assert (row.state, row.last_error, erp.posts) == ("HELD", "it stays a draft", MAX_ATTEMPTS)


@pytest.mark.parametrize("earlier", [True, False], ids=["sent before", "never sent before"])
def test_a_refusal_says_nothing_of_what_was_sent_before_it(
    engine: Engine, clock: Clock, erp: Scripted, pusher: Pusher, earlier: bool
) -> None:
    lost = [UncertainError("No answer.", remedy="Look it up.")] if earlier else []
    erp.creating = [*lost, RefusedError("417", remedy="Mend the row.")]
    for _ in range(6):
        turn(pusher)
        clock.pass_s(70)
    assert (standing(engine).state, standing(engine).may_exist) == ("DEAD", earlier)
