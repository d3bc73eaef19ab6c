"""What partners send is kept once, as it came, and settled once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, delete, event, update
from sqlalchemy.exc import DBAPIError

from core.settings import Settings
from core.together import Together
from state import dead_letters, inbox
from state.engine import open_state
from state.inbox import Accepted, Incoming, Settled
from state.message_outcomes import outcome_of
from state.tables_of_messages import inbox as table

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Iterator[Engine]:
    engine = open_state(Settings(home=tmp_path, state_url=state_url))
    yield engine
    engine.dispose()


def message(event_id: str = "e1", body: bytes = b"{}", partner: str = "pod") -> Incoming:
    return Incoming(
        partner, event_id, "api", "proof_of_delivery", "application/json", body, f"t_{event_id}", NOW
    )


def test_the_same_event_is_one_message(engine: Engine) -> None:
    first, again = inbox.accept(engine, [message(), message()])
    (later,) = inbox.accept(engine, [message()])
    assert (first.outcome, again.outcome, later.outcome) == ("accepted", "duplicate", "duplicate")
    assert {first.message_id} == {again.message_id, later.message_id}
    assert len(inbox.unsettled(engine, "pod", 10)) == 1


def test_two_partners_may_use_one_id(engine: Engine) -> None:
    taken = inbox.accept(engine, [message(), message(partner="carrier")])
    assert [each.outcome for each in taken] == ["accepted", "accepted"]
    assert inbox.waiting(engine) == {"pod": 1, "carrier": 1}


@pytest.mark.parametrize("changed", [{"body": b"[]"}, {"kind": "event"}])
def test_the_same_id_with_something_else_is_a_conflict_and_a_dead_letter(
    engine: Engine, changed: dict[str, object]
) -> None:
    inbox.accept(engine, [message()])
    other = replace(message(), **changed)  # type: ignore[arg-type]
    taken = inbox.accept(engine, [other, other])
    assert [each.outcome for each in taken] == ["conflict", "conflict"]
    (letter,) = dead_letters.with_status(engine, "open")
    assert (letter.reason, letter.raw, letter.source_id) == (inbox.CONFLICT, other.body, "e1")
    assert [each.body for each in inbox.unsettled(engine, "pod", 10)] == [b"{}"]


def test_after_ninety_days_an_id_is_another_event(engine: Engine) -> None:
    inbox.accept(engine, [message()])
    just_before = replace(message(), received_at=NOW + inbox.MEMORY - timedelta(seconds=1))
    then = replace(message(), received_at=NOW + inbox.MEMORY, body=b"[]")
    assert [each.outcome for each in inbox.accept(engine, [just_before, then])] == ["duplicate", "accepted"]


def test_messages_come_out_in_the_order_they_came_in(engine: Engine) -> None:
    inbox.accept(engine, [message(f"e{number}") for number in range(5)])
    first = inbox.unsettled(engine, "pod", 2)
    assert [each.event_id for each in first] == ["e0", "e1"]
    inbox.settle(engine, "run_1", [Settled(each.message_no, 0, 0, 0, 0, 0) for each in first], NOW)
    assert [each.event_id for each in inbox.unsettled(engine, "pod", 10)] == ["e2", "e3", "e4"]


def test_a_message_is_settled_once(engine: Engine) -> None:
    (taken,) = inbox.accept(engine, [message()])
    (there,) = inbox.unsettled(engine, "pod", 99)
    settled = Settled(there.message_no, 2, 1, 1, 0, 0, ("C1",))
    inbox.settle(engine, "run_1", [settled], NOW)
    inbox.settle(engine, "run_2", [replace(settled, loaded=2, dead_lettered=0)], NOW)
    outcome = outcome_of(engine, "pod", taken.message_id)
    assert outcome is not None and outcome.rows["dead_lettered"] == 1 and outcome.shipments == ("C1",)
    assert inbox.unsettled(engine, "pod", 99) == [] and inbox.waiting(engine) == {}


def test_nobody_reads_the_message_of_another(engine: Engine) -> None:
    (taken,) = inbox.accept(engine, [message()])
    assert outcome_of(engine, "carrier", taken.message_id) is None
    own = outcome_of(engine, "pod", taken.message_id)
    assert own is not None and own.status == "received"


def test_the_database_keeps_what_came(engine: Engine) -> None:
    inbox.accept(engine, [message()])
    for statement in (update(table).values(body=b"other"), delete(table)):
        with pytest.raises(DBAPIError, match=r"inbox|kept"), engine.begin() as db:
            db.execute(statement)


def test_who_comes_together_is_committed_together(engine: Engine) -> None:
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)

    async def all_at_once() -> list[str]:
        group = Together[Incoming, Accepted](partial(inbox.accept, engine))
        taken = await asyncio.gather(*(group.ask(message(f"e{number % 50}")) for number in range(100)))
        return [each.outcome for each in taken]

    outcomes = asyncio.run(all_at_once())
    assert (outcomes.count("accepted"), outcomes.count("duplicate")) == (50, 50)
    assert len(commits) < 5
    assert len(inbox.unsettled(engine, "pod", 1000)) == 50


def test_a_transaction_that_fails_tells_all_who_wait_and_no_one_after(engine: Engine) -> None:
    bad = replace(message("bad"), channel="carrier pigeon")  # type: ignore[arg-type]

    async def two_rounds() -> tuple[list[object], str]:
        group = Together[Incoming, Accepted](partial(inbox.accept, engine))
        first = await asyncio.gather(group.ask(bad), group.ask(message()), return_exceptions=True)
        return first, (await group.ask(message())).outcome

    first, then = asyncio.run(two_rounds())
    assert all(isinstance(each, DBAPIError) for each in first)
    assert then == "accepted"


def test_large_bodies_come_in_more_batches(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox.accept(engine, [message(f"e{number}", b"x" * size) for number, size in enumerate((4, 4, 4, 30, 1))])
    monkeypatch.setattr(inbox, "MOST_BYTES", 8)
    batches = []
    last_no = 0
    while found := inbox.unsettled(engine, "pod", 10, last_no):
        batches.append([each.event_id for each in found])
        last_no = found[-1].message_no
    assert batches == [["e0", "e1"], ["e2", "e3"], ["e4"]]


def test_each_message_is_settled_with_what_became_of_it(engine: Engine) -> None:
    inbox.accept(engine, [message("e1"), message("e2")])
    first, second = inbox.unsettled(engine, "pod", 10)
    inbox.settle(
        engine, "run_1",
        [Settled(first.message_no, 1, 1, 0, 0, 0, ("C1",)), Settled(second.message_no, 2, 0, 1, 1, 0)], NOW,
    )  # fmt: skip
    inbox.settle(engine, "run_2", [Settled(first.message_no, 9, 9, 0, 0, 0)], NOW)
    with engine.begin() as db:
        rows = db.execute(table.select().order_by(table.c.message_no)).all()
    found = [(each.run_id, each.rows_in, each.loaded, each.duplicate, each.shipments) for each in rows]
    assert found == [("run_1", 1, 1, 0, ["C1"]), ("run_1", 2, 0, 1, [])]
