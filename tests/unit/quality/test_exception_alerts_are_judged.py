"""The suite of exception alerts: each of its rules trips on its own fault alone, and what is wrong with proof, goods or money
holds no alert."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any

import pytest
from candidate_rows import AS_OF, candidate, context
from rule_cases import CASES, Case, filled, posted

from contracts.exception_alert import ExceptionAlertCandidate
from core.flows import EXCEPTION_ALERT
from quality import rules
from quality.gate import GateResult, evaluate
from quality.policy import load_policy
from quality.suites import exception_alert_candidates
from state.decisions import Decision

CODES = [each.code for each in exception_alert_candidates.RULES]
OTHER = "f" * 64
SHARED = ("SOURCE_STALE", "ERP_UNAVAILABLE", "CUSTOMER_UNKNOWN_OR_INACTIVE")
OWN = {
    **{code: CASES[code] for code in SHARED},
    "CHECK_NOT_RUN": Case({"exception_id": None}, {"exception_id": "X"}),
    "ALERT_ADDRESSEE_UNKNOWN": Case({"company_id": None}, {"company_id": "WBNL"}),
    "EXCEPTION_UNCLEAR": Case({"exception_state": "reopened"}, {"exception_state": "paused"}),
    "ALERT_IN_FLIGHT": Case(trips_state=posted("UNKNOWN"), passes_state=posted("READY")),
    "ALERT_CHANGED_AFTER_POST": Case(trips_state=posted("ACKED", OTHER), passes_state=posted("ACKED")),
}
UNCLEAR: list[dict[str, Any]] = [
    {"exception_code": None}, {"exception_severity": "urgent"}, {"exception_severity": None},
    {"exception_cause": None}, {"exception_state": None}, {"opened_at": None}, {"opening_date": None},
]  # fmt: skip
UNADDRESSED: list[dict[str, Any]] = [
    {"order_no": None}, {"company_id": None}, {"customer_id": None},
    # Where no order is known nothing else of it is, and its rules have nothing to say.
    {"order_no": None, "erp_connection": None, "company_id": None, "customer_id": None, "order_status": None,
     "customer_is_active": None},
]  # fmt: skip


def alert(number: int, **changes: Any) -> dict[str, Any]:
    """An exception that is told to its customer's ERP; ``changes`` replace columns."""
    known = candidate(number)
    own: dict[str, Any] = {
        "exception_id": f"X{number}", "exception_code": "TRAFFIC", "exception_severity": "critical",
        "exception_cause": "business", "exception_state": "open", "opening_date": date(2026, 11, 13),
        "opened_at": datetime(2026, 11, 13, 9, 0, tzinfo=UTC), "changed_at": datetime(2026, 11, 13, 9, 0, tzinfo=UTC),
    }  # fmt: skip
    shared = {name: known[name] for name in ExceptionAlertCandidate.model_fields if name in known}
    assert shared.keys() | own.keys() == ExceptionAlertCandidate.model_fields.keys()
    return shared | own | changes


def judge(rows: list[dict[str, Any]], state: dict[str, Any]) -> GateResult:
    # No proof and no dispatch is asked about: an alert rests on the ERP alone.
    state = {"default_sources": frozenset()} | state
    return evaluate(rows, context(**state), load_policy(), "run_1", AS_OF, flow=EXCEPTION_ALERT)


def all_at_once(which: str) -> dict[str, Decision]:
    """Every case in one batch and one state; code → its decision."""
    state: dict[str, dict[Any, Any]] = defaultdict(dict, destinations={"erp": True})
    rows = []
    for number, case in enumerate(OWN.values(), start=1):
        rows.append(alert(number, **getattr(case, which)))
        for name, part in filled(getattr(case, f"{which}_state"), number).items():
            state[name] |= part
    return dict(zip(OWN, judge(rows, dict(state)).decisions, strict=True))


@pytest.fixture(scope="module")
def tripped() -> dict[str, Decision]:
    return all_at_once("trips")


@pytest.fixture(scope="module")
def sound() -> dict[str, Decision]:
    return all_at_once("passes")


def test_every_rule_has_its_case() -> None:
    # That the rules are those that were approved is tried on invoices: it is one version for all flows.
    assert {*OWN, "RULESET_UNAPPROVED"} == set(CODES)


@pytest.mark.parametrize("code", OWN)
def test_a_fault_trips_its_own_rule_and_no_other(code: str, tripped: dict[str, Decision]) -> None:
    assert [reason["code"] for reason in tripped[code].reasons] == [code]
    assert tripped[code].verdict == "blocked"


@pytest.mark.parametrize("code", OWN)
def test_the_nearest_sound_row_passes(code: str, sound: dict[str, Decision]) -> None:
    assert list(sound[code].reasons) == []
    assert sound[code].verdict == "released"


def test_whatever_an_exception_leaves_unsaid_is_told() -> None:
    rows = [alert(number, **changes) for number, changes in enumerate(UNCLEAR, start=1)]
    assert [each.codes for each in judge(rows, {}).decisions] == [("EXCEPTION_UNCLEAR",)] * len(UNCLEAR)


def test_an_exception_of_an_unknown_order_is_told_to_nobody_and_says_so_once() -> None:
    rows = [alert(number, **changes) for number, changes in enumerate(UNADDRESSED, start=1)]
    decisions = judge(rows, {}).decisions
    assert [each.codes for each in decisions] == [("ALERT_ADDRESSEE_UNKNOWN",)] * len(UNADDRESSED)


def test_what_is_wrong_with_the_proof_holds_no_alert() -> None:
    broken = {"shipment_letters": {"S1": frozenset({"FIELD_MISSING"})}, "stale": {"pod": "timed out"}}
    (decision,) = judge([alert(1)], broken).decisions
    assert (decision.verdict, decision.reasons) == ("released", [])


def test_a_decision_says_that_it_is_about_an_alert_and_of_no_amount() -> None:
    result = judge([alert(1)], {})
    (decision,) = result.decisions
    assert (decision.operation, decision.amount, decision.currency) == ("exception_alert", None, None)
    assert [each.code for each in result.rule_results] == CODES and result.passed


def test_an_earlier_revision_that_is_there_holds_no_later_one() -> None:
    earlier = filled(posted("ACKED", OTHER), 1)
    (decision,) = judge([alert(1, revision=2, exception_state="resolved")], earlier).decisions
    assert decision.verdict == "released"


def test_the_version_of_the_rules_covers_these_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before = rules.ruleset_version(load_policy())
    changed = {code: rule for code, rule in rules.BY_CODE.items() if code != "ALERT_IN_FLIGHT"}
    monkeypatch.setattr(rules, "BY_CODE", changed)
    assert rules.ruleset_version(load_policy()) != before
