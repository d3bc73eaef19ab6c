"""The suite of confirmations: each of its rules trips on its own fault alone, and what concerns money alone trips none."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from candidate_rows import AS_OF, candidate, context
from rule_cases import CASES, filled

from contracts.fulfilment import FulfilmentCandidate
from core.flows import FULFILMENT
from quality import rules
from quality.gate import GateResult, evaluate
from quality.policy import load_policy
from quality.suites import fulfilment_candidates
from state.decisions import Decision

CODES = [each.code for each in fulfilment_candidates.RULES]
LIKE = {
    "CONFIRMATION_IN_FLIGHT": "IN_FLIGHT_UNKNOWN",
    "CONFIRMATION_CHANGED_AFTER_POST": "PAYLOAD_CHANGED_AFTER_POST",
}
"""Its own rules, and that of the invoice which trips on the same state."""
OWN = {code: CASES[LIKE.get(code, code)] for code in CODES if code != "RULESET_UNAPPROVED"}
MONEY = {code: case for code, case in CASES.items() if code not in {*CODES, *LIKE.values()}}


def confirmation(number: int, **changes: Any) -> dict[str, Any]:
    """The part of a candidate that a confirmation is judged by."""
    row = candidate(number, **changes)
    return {name: row[name] for name in FulfilmentCandidate.model_fields}


def judge(rows: list[dict[str, Any]], state: dict[str, Any]) -> GateResult:
    return evaluate(rows, context(**state), load_policy(), "run_1", AS_OF, flow=FULFILMENT)


def all_at_once(cases: dict[str, Any], which: str) -> dict[str, Decision]:
    """Every case in one batch and one state; code → its decision."""
    state: dict[str, dict[Any, Any]] = defaultdict(dict, destinations={"erp": True})
    rows = []
    for number, case in enumerate(cases.values(), start=1):
        rows.append(confirmation(number, **getattr(case, which)))
        for name, part in filled(getattr(case, f"{which}_state"), number).items():
            state[name] |= part
    return dict(zip(cases, judge(rows, dict(state)).decisions, strict=True))


@pytest.fixture(scope="module")
def tripped() -> dict[str, Decision]:
    return all_at_once(OWN, "trips")


@pytest.fixture(scope="module")
def sound() -> dict[str, Decision]:
    return all_at_once(OWN, "passes")


@pytest.fixture(scope="module")
def of_money() -> dict[str, Decision]:
    return all_at_once(MONEY, "trips")


@pytest.mark.parametrize("code", OWN)
def test_a_fault_trips_its_own_rule_and_no_other(code: str, tripped: dict[str, Decision]) -> None:
    assert [reason["code"] for reason in tripped[code].reasons] == [code]
    expected = "released" if rules.rule(code).disposition == "WARN" else "blocked"
    assert tripped[code].verdict == expected


@pytest.mark.parametrize("code", OWN)
def test_the_nearest_sound_row_passes(code: str, sound: dict[str, Decision]) -> None:
    assert list(sound[code].reasons) == []
    assert sound[code].verdict == "released"


@pytest.mark.parametrize("code", MONEY)
def test_what_concerns_the_invoice_alone_holds_no_confirmation(
    code: str, of_money: dict[str, Decision]
) -> None:
    assert (of_money[code].verdict, of_money[code].codes) == ("released", ())


def test_a_decision_says_that_it_is_about_a_confirmation_and_of_no_amount() -> None:
    result = judge([confirmation(1)], {})
    (decision,) = result.decisions
    assert (decision.operation, decision.amount, decision.currency) == ("fulfilment", None, None)
    assert [each.code for each in result.rule_results] == CODES and result.passed


def test_a_row_without_a_column_of_its_own_is_blocked_and_one_without_money_is_not() -> None:
    row = confirmation(1)
    del row["pod_captured_at"]
    (decision,) = judge([row], {}).decisions
    assert "CHECK_NOT_RUN" in decision.codes


def test_no_rule_holds_a_confirmation_that_would_let_its_invoice_go() -> None:
    invoice = {each.code for each in rules.RULES}
    assert set(CODES) - invoice == set(LIKE)
    assert set(LIKE.values()) <= invoice


def test_the_version_of_the_rules_covers_these_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before = rules.ruleset_version(load_policy())
    changed = {code: rule for code, rule in rules.BY_CODE.items() if code != "CONFIRMATION_IN_FLIGHT"}
    monkeypatch.setattr(rules, "BY_CODE", changed)
    assert rules.ruleset_version(load_policy()) != before
