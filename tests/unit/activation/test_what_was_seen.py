"""A document that was made, or that a look showed, is not made once more because a list does not show it now: whatever happened to its
row meanwhile, and whatever its last error says."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from activation.destinations.base import PostedInvoice, RefusedError
from activation.push import Pusher
from activation.result import PushResult
from contracts.outbound import OutboundDocument
from core.connections import Connection, Destination
from core.settings import Settings
from state import decisions, proposals
from state.engine import open_state
from state.tables import outbox as table
from tests.simulation.erp import LAG_S, SETTLE_S, Clock
from tests.simulation.world import released, row_of
from tests.support.approved_rules import let_in
from tests.unit.activation.test_how_long_a_row_waits import Scripted, busy, standing, turn


class Slow(Scripted):
    """Its lists show a document ``LAG_S`` after it was made."""

    def _findable(self, idempotency_key: str) -> list[PostedInvoice]:
        there = self.by_key.get(idempotency_key, ())
        return [each.invoice for each in there if each.findable_at <= self.clock.now]

    def _create(self, document: OutboundDocument, at: datetime) -> str:
        erp_id = super()._create(document, at)
        self.documents[erp_id].findable_at = at + timedelta(seconds=LAG_S)
        return erp_id


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_state(Settings(home=tmp_path))


@pytest.fixture
def erp() -> Slow:
    return Slow(Clock())


@pytest.fixture
def pusher(engine: Engine, erp: Slow) -> Pusher:
    random.seed(1)
    connection = Connection(
        connection="erp", kind="erp", adapter="frappe", owner="finance",
        destination=Destination(settle_s=SETTLE_S, max_concurrency=1),
    )  # fmt: skip
    let_in(engine, "r")
    decisions.record(engine, [released(row_of(1))])
    made = Pusher(engine, connection, erp, PushResult(), now=erp.clock)
    made.enqueue([row_of(1)])
    return made


def settle(erp: Slow, pusher: Pusher) -> None:
    for _ in range(6):
        erp.clock.pass_s(SETTLE_S)
        turn(pusher)


def test_it_is_not_made_again_after_its_release_was_taken_back_and_given_again(
    engine: Engine, erp: Slow, pusher: Pusher
) -> None:
    erp.posting = [busy(1.0)]
    turn(pusher)
    assert (standing(engine).state, standing(engine).seen_as) == ("RETRY_WAIT", "made")
    voided = {"verdict": "blocked", "codes": ("POD_VOIDED",), "input_hash": "voided"}
    decisions.record(engine, [released(row_of(1), decision_id="voided", **voided)])
    erp.clock.pass_s(2)
    turn(pusher)
    assert (standing(engine).state, standing(engine).seen_as) == ("BLOCKED", "made")
    decisions.record(engine, [released(row_of(1), decision_id="again")])
    pusher.enqueue([row_of(1)])
    turn(pusher)
    assert (standing(engine).state, erp.creates) == ("UNKNOWN", 1)
    settle(erp, pusher)
    assert (standing(engine).state, erp.creates, len(erp.documents)) == ("ACKED", 1, 1)
    assert standing(engine).seen_as is None


def test_it_is_not_made_again_by_two_people_who_saw_nothing_yet(
    engine: Engine, erp: Slow, pusher: Pusher
) -> None:
    erp.posting = [RefusedError("417", remedy="Mend the row.")]
    turn(pusher)
    row = standing(engine)
    assert (row.state, row.seen_as, erp.look_up(row.idempotency_key)) == ("DEAD", "made", [])
    proposals.propose(engine, row, "READY", [], "anna", "try again", erp.clock())
    proposals.confirm(engine, row, [], "boris", "yes", erp.clock())
    turn(pusher)
    assert erp.creates == 1
    settle(erp, pusher)
    assert (standing(engine).state, erp.creates) == ("ACKED", 1)


def test_what_is_gone_once_all_has_settled_is_made_again(engine: Engine, erp: Slow, pusher: Pusher) -> None:
    """The near miss: somebody removed the draft."""
    erp.posting = [busy(1.0)]
    turn(pusher)
    erp.remove(*erp.documents.values())
    settle(erp, pusher)
    assert (standing(engine).state, erp.creates, len(erp.documents)) == ("ACKED", 2, 1)


@pytest.mark.parametrize("words", ["found as a draft", "made, and not posted: Nobody listens."])
def test_the_words_of_an_error_say_nothing(engine: Engine, erp: Slow, pusher: Pusher, words: str) -> None:
    with engine.begin() as db:
        db.execute(update(table).values(last_error=words, may_exist=True))
    turn(pusher)
    assert (standing(engine).state, erp.creates) == ("ACKED", 1)
