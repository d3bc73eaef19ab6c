"""What somebody asked for stands on the page until another one has answered, and what nobody has to answer does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import Connection, Engine

from cli.main import typer_app
from core.errors import PermanentFailure
from core.ids import canonical_json
from core.settings import Settings
from dashboard.second_person import Asked, asked
from dashboard.waiting import waiting
from state import approvals, decisions, kill_switch, outbox, proposals, rulesets
from state.decisions import Decision
from state.engine import open_state
from state.kill_switch import Scope
from state.rulesets import Rules, Ruleset
from state.shipped_rules import SHIPPED, Gate
from tests.support.credit_documents import KEY, bring, effect

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
EVERYTHING, COMPANY = Scope("global"), Scope("company", "Wolf & Bär")


def rules(limit: int) -> Ruleset:
    return Ruleset("flows", f"p{limit}", canonical_json({"policy": {"limit": limit}}))


ONE, TWO = rules(1), rules(2)
HELD = Decision(
    decision_id="d1", business_id="b 1", revision=1, company_id="WBDE", order_no="O1", shipment_no="S1",
    customer_id="C1", verdict="blocked", codes=("VALUE_OVER_LIMIT",), warnings=(),
    reasons=[{"code": "VALUE_OVER_LIMIT", "disposition": "APPROVAL"}], input_hash="i1", content_hash="c1",
    ruleset_version=ONE.version, policy_version="p1", as_of=NOW, decided_at=NOW, amount=Decimal("300000.00"),
    currency="EUR", run_id="run", is_first_evaluation=True,
)  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setitem(SHIPPED, "flows", ONE.version)
    made = open_state(Settings(home=tmp_path))
    rulesets.require(made, ONE)
    yield made
    made.dispose()


def given_up(engine: Engine) -> None:
    """An invoice that the push has given up."""
    with engine.begin() as db:
        outbox.enqueue(db, effect(), NOW)
    bring(engine, KEY, "SENDING", "UNKNOWN", "HELD")


def test_a_change_of_the_rules_waits_with_what_would_be_otherwise(engine: Engine) -> None:
    assert asked(engine) == ()
    rulesets.propose(engine, TWO, "anna", "fewer questions", NOW)
    assert asked(engine) == (
        Asked(
            "rules",
            f"the gate: {TWO.version[:12]}, policy p2",
            ("limit: 1 → 2",),
            "anna",
            "fewer questions",
            NOW,
            f"waybill gate approve-rules {TWO.version[:12]}",
        ),
    )
    rulesets.answer(engine, TWO.version, {"flows": TWO}, "granted", "boris", "seen", NOW)
    assert asked(engine) == ()


def test_the_first_rules_of_a_store_change_nothing_that_was(tmp_path: Path) -> None:
    empty = open_state(Settings(home=tmp_path))
    rulesets.propose(empty, TWO, "anna", "our own", NOW)
    assert [each.changes for each in asked(empty)] == [("the first rules of this store",)]
    empty.dispose()


def test_rules_that_somebody_changed_in_the_store_are_told_and_take_no_page_away(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rulesets.propose(engine, TWO, "anna", "fewer questions", NOW)

    def found(_db: Connection, _gate: Gate) -> Rules | None:
        raise PermanentFailure("They are not what was approved.", remedy="Verify.")

    monkeypatch.setattr(rulesets, "in_force", found)
    assert [each.changes for each in asked(engine)] == [("They are not what was approved.",)]


def test_a_switch_waits_once_somebody_has_asked_for_its_release(engine: Engine) -> None:
    kill_switch.pull(engine, EVERYTHING, "anna", "wrong prices", NOW)
    kill_switch.pull(engine, COMPANY, "anna", "wrong prices", NOW)
    assert asked(engine) == ()
    kill_switch.release(engine, COMPANY, "anna", "mended", NOW)
    [waits] = asked(engine)
    assert (waits.kind, waits.about) == ("kill switch", "company Wolf & Bär")
    assert waits.changes == ("released; pulled by anna: wrong prices",)
    assert waits.command == "waybill kill-switch release --company 'Wolf & Bär'"
    kill_switch.release(engine, COMPANY, "boris", "seen", NOW)
    assert asked(engine) == ()


def test_an_invoice_waits_until_its_approval_is_answered(engine: Engine) -> None:
    decisions.record(engine, [HELD])
    assert asked(engine) == (), "nobody has asked"
    approvals.ask(engine, HELD.key, "anna", "agreed", NOW)
    [waits] = asked(engine)
    assert (waits.kind, waits.about) == ("invoice", "S1")
    assert waits.changes == ("VALUE_OVER_LIMIT let pass: 300,000.00 EUR",)
    assert waits.command == "waybill gate approve 'b 1'"
    approvals.answer(engine, HELD.key, "rejected", "boris", "too much", NOW)
    assert asked(engine) == ()


def test_a_push_that_was_given_up_waits_until_its_proposal_is_confirmed(engine: Engine) -> None:
    given_up(engine)
    assert asked(engine) == (), "nobody has proposed"
    entry = outbox.of_keys(engine, [KEY])[0]
    proposals.propose(engine, entry, "READY", [], "anna", "mended", NOW)
    [waits] = asked(engine)
    assert (waits.kind, waits.about) == ("push", "S-1")
    assert waits.changes == ("HELD → READY, with nothing in the ERP under its key",)
    assert waits.command == f"waybill outbox confirm {KEY[:12]}"
    proposals.confirm(engine, entry, [], "boris", "seen", NOW)
    assert asked(engine) == ()


def test_what_concerns_most_comes_first_and_the_page_has_all_of_it(engine: Engine, tmp_path: Path) -> None:
    decisions.record(engine, [HELD])
    approvals.ask(engine, HELD.key, "anna", "agreed", NOW)
    given_up(engine)
    proposals.propose(engine, outbox.of_keys(engine, [KEY])[0], "READY", [], "anna", "mended", NOW)
    rulesets.propose(engine, TWO, "anna", "fewer questions", NOW)
    kill_switch.pull(engine, EVERYTHING, "anna", "wrong prices", NOW)
    kill_switch.release(engine, EVERYTHING, "anna", "mended", NOW)
    found = waiting(Settings(home=tmp_path)).asked
    assert [each.kind for each in found] == ["kill switch", "rules", "push", "invoice"]
    groups: Any = typer.main.get_command(typer_app)
    for each in found:
        waybill, group, command = each.command.split()[:3]
        assert (waybill, command in groups.commands[group].commands) == ("waybill", True), each.command
