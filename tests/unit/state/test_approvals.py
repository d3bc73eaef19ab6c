"""Four eyes: who asks does not answer, and an answer holds for what was looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.errors import PermanentFailure
from core.settings import Settings
from state import approvals, decisions, ledger
from state import tables_of_people as state_tables
from state.decisions import Decision
from state.engine import open_state
from tests.support.approved_rules import let_in

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
KEY = ("b-1", 1)


def reason(code: str, disposition: str) -> dict[str, str]:
    return {"code": code, "disposition": disposition}


HELD = Decision(
    decision_id="d1", business_id="b-1", revision=1, company_id="WBDE", order_no="O1", shipment_no="S1",
    customer_id="C1", verdict="blocked", codes=("VALUE_OVER_LIMIT",), warnings=(),
    reasons=[reason("VALUE_OVER_LIMIT", "APPROVAL"), reason("CREDIT_LIMIT", "WARN")], input_hash="i1",
    content_hash="c1", ruleset_version="r1", policy_version="p1", as_of=NOW, decided_at=NOW,
    amount=Decimal("300000.00"), currency="EUR", run_id="run", is_first_evaluation=True,
)  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    made = open_state(Settings(home=tmp_path, state_url=state_url))
    let_in(made, HELD.ruleset_version)
    return made


@pytest.fixture
def held(engine: Engine) -> Engine:
    decisions.record(engine, [HELD])
    return engine


def test_one_asks_and_another_grants(held: Engine) -> None:
    asked = approvals.ask(held, KEY, "anna", "agreed with the customer", NOW)
    assert [each.approval_id for each in approvals.waiting(held)] == [asked.approval_id]
    assert approvals.granted(held) == {}
    given = approvals.answer(held, KEY, "granted", "boris", "seen the contract", NOW)
    assert (given.answer, given.answered_by, given.codes) == ("granted", "boris", ("VALUE_OVER_LIMIT",))
    assert approvals.granted(held) == {KEY: given}
    assert approvals.waiting(held) == []


def test_what_was_rejected_is_not_granted_and_may_be_asked_for_again(held: Engine) -> None:
    approvals.ask(held, KEY, "anna", "agreed", NOW)
    approvals.answer(held, KEY, "rejected", "boris", "no contract", NOW)
    assert approvals.granted(held) == {}
    assert approvals.ask(held, KEY, "anna", "here it is", NOW).answer is None


@pytest.mark.parametrize("same", ["anna", " ANNA "])
def test_who_asked_cannot_answer(held: Engine, same: str) -> None:
    approvals.ask(held, KEY, "anna", "agreed", NOW)
    with pytest.raises(PermanentFailure, match="Somebody else"):
        approvals.answer(held, KEY, "granted", same, "agreed", NOW)
    assert approvals.granted(held) == {}


@pytest.mark.parametrize("maker", ["anna", "Anna", " anna ", " "])
def test_the_database_refuses_an_answer_by_the_maker(held: Engine, maker: str) -> None:
    """Fault 44."""
    approvals.ask(held, KEY, "anna", "agreed", NOW)
    answered = {"answer": "granted", "answered_by": maker, "answered_at": NOW}
    with pytest.raises(IntegrityError, match="four_eyes"), held.begin() as db:
        db.execute(update(state_tables.approvals).values(**answered))
    with held.begin() as db:
        db.execute(update(state_tables.approvals).values(**(answered | {"answered_by": "boris"})))


def test_what_is_granted_need_not_be_asked_for_and_a_later_rejection_ends_it(held: Engine) -> None:
    approvals.ask(held, KEY, "anna", "agreed", NOW)
    approvals.answer(held, KEY, "granted", "boris", "seen", NOW)
    with pytest.raises(PermanentFailure, match="was approved already"):
        approvals.ask(held, KEY, "carla", "again", NOW)
    decisions.record(held, [replace(HELD, decision_id="d2", input_hash="i2")])
    approvals.ask(held, KEY, "anna", "another amount", NOW)
    approvals.answer(held, KEY, "rejected", "boris", "not that one", NOW)
    assert approvals.granted(held) == {}


@pytest.mark.parametrize(
    "change", [{"codes": ["PO_REFERENCE_REQUIRED"]}, {"business_id": "b-2"}, {"ruleset_version": "r2"}]
)
def test_what_was_asked_for_cannot_become_something_else(held: Engine, change: dict[str, Any]) -> None:
    approvals.ask(held, KEY, "anna", "agreed", NOW)
    with pytest.raises(DBAPIError, match="an answer stands"), held.begin() as db:
        db.execute(update(state_tables.approvals).values(**change))


@pytest.mark.parametrize("change", [{"answer": "rejected"}, {"answered_by": "carla"}])
def test_an_answer_that_was_given_stands(held: Engine, change: dict[str, str]) -> None:
    approvals.ask(held, KEY, "anna", "agreed", NOW)
    approvals.answer(held, KEY, "granted", "boris", "seen", NOW)
    with pytest.raises(DBAPIError, match="an answer stands"), held.begin() as db:
        db.execute(update(state_tables.approvals).values(**change))
    with pytest.raises(DBAPIError, match="append-only"), held.begin() as db:
        db.execute(state_tables.approvals.delete())


@pytest.mark.parametrize("change", [{"input_hash": "i2"}, {"ruleset_version": "r2"}])
def test_what_changed_since_is_stale_and_has_to_be_asked_for_again(
    held: Engine, change: dict[str, Any]
) -> None:
    approvals.ask(held, KEY, "anna", "agreed", NOW)
    decisions.record(held, [replace(HELD, decision_id="d2", **change)])
    assert approvals.waiting(held) == []
    with pytest.raises(PermanentFailure, match="has changed"):
        approvals.answer(held, KEY, "granted", "boris", "seen", NOW)


def test_the_same_is_asked_for_once_at_a_time(held: Engine) -> None:
    approvals.ask(held, KEY, "anna", "agreed", NOW)
    with pytest.raises(PermanentFailure, match="waits for an answer already"):
        approvals.ask(held, KEY, "carla", "agreed", NOW)


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (None, "was never judged"),
        (replace(HELD, verdict="released", codes=()), "is released"),
        (replace(HELD, reasons=[*HELD.reasons, reason("POD_MISSING", "BLOCK")]), "POD_MISSING"),
    ],
)
def test_what_nobody_can_approve_cannot_be_asked_for(
    engine: Engine, decision: Decision | None, why: str
) -> None:
    decisions.record(engine, [decision] if decision else [])
    with pytest.raises(PermanentFailure, match=why):
        approvals.ask(engine, KEY, "anna", "agreed", NOW)


def test_nothing_that_nobody_asked_for_can_be_answered(held: Engine) -> None:
    with pytest.raises(PermanentFailure, match="Nothing about b-1 waits"):
        approvals.answer(held, KEY, "granted", "boris", "seen", NOW)


def test_the_ledger_says_who_what_and_why(held: Engine) -> None:
    approvals.ask(held, KEY, "anna", "agreed", NOW)
    approvals.answer(held, KEY, "granted", "boris", "seen", NOW)
    with held.connect() as db:
        told = [
            (
                row.event,
                row.actor,
                row.subject,
                row.detail["before"],
                row.detail["after"],
                row.detail["reason"],
            )
            for row in db.execute(ledger.ledger.select().where(ledger.ledger.c.event.startswith("appro")))
        ]
    assert told == [
        ("approval_asked", "anna", "S1", "blocked", "pending approval", "agreed"),
        ("approved", "boris", "S1", "pending approval", "granted", "seen"),
    ]
