"""Each rule trips on its own fault and on no other, and lets the nearest sound row pass."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from candidate_rows import AS_OF, RULES, candidate, context
from rule_cases import CASES, Case, filled

from quality import rules
from quality.context import BatchSize
from quality.gate import GateResult, evaluate
from quality.policy import Policy, load_policy
from state.decisions import Decision
from state.rulesets import NOBODY, Approved

POLICY = load_policy()
WHOLE_BATCH = {"RULESET_UNAPPROVED", "BATCH_OUTLIER"}
"""Rules that trip for all rows at once; they have tests of their own below."""


def judge(rows: list[dict[str, Any]], state: dict[str, Any], policy: Policy = POLICY) -> GateResult:
    return evaluate(rows, context(**state), policy, "run_1", AS_OF)


def approved(policy: Policy) -> dict[str, Any]:
    """A state in which two people let this policy in."""
    return {"rules": Approved(rules.ruleset_version(policy), "boris, proposed by anna")}


def all_at_once(which: str) -> dict[str, Decision]:
    """Every case in one batch and one state; code → its decision."""
    state: dict[str, dict[Any, Any]] = defaultdict(dict, destinations={"erp": True})
    rows = []
    for number, case in enumerate(CASES.values(), start=1):
        rows.append(candidate(number, **getattr(case, which)))
        for name, part in filled(getattr(case, f"{which}_state"), number).items():
            state[name] |= part
    decisions = judge(rows, dict(state)).decisions
    return dict(zip(CASES, decisions, strict=True))


@pytest.fixture(scope="module")
def tripped() -> dict[str, Decision]:
    return all_at_once("trips")


@pytest.fixture(scope="module")
def sound() -> dict[str, Decision]:
    return all_at_once("passes")


@pytest.fixture(scope="module")
def clean() -> GateResult:
    return judge([candidate()], {})


@pytest.mark.parametrize("code", CASES)
def test_a_fault_trips_its_own_rule_and_no_other(code: str, tripped: dict[str, Decision]) -> None:
    decision = tripped[code]
    assert [reason["code"] for reason in decision.reasons] == [code]
    expected = "released" if rules.rule(code).disposition == "WARN" else "blocked"
    assert decision.verdict == expected


@pytest.mark.parametrize("code", CASES)
def test_the_nearest_sound_row_passes(code: str, sound: dict[str, Decision]) -> None:
    assert list(sound[code].reasons) == []
    assert sound[code].verdict == "released"


@pytest.mark.parametrize("code", CASES)
def test_a_reason_says_what_was_seen_and_expected(code: str, tripped: dict[str, Decision]) -> None:
    (reason,) = tripped[code].reasons
    assert set(reason) == {"code", "seen", "expected", "remedy", "owner", "disposition"}
    assert all(reason.values())
    assert "{" not in reason["seen"] + reason["expected"]


def test_every_rule_of_the_index_ran_and_has_its_pair_of_cases(clean: GateResult) -> None:
    ran = [each.code for each in clean.rule_results]
    codes = [each.code for each in rules.RULES]
    assert ran == codes
    assert set(CASES) | WHOLE_BATCH == set(codes)
    assert len(codes) == len(set(codes))


def test_a_clean_candidate_is_released_without_a_word(clean: GateResult) -> None:
    (decision,) = clean.decisions
    assert (decision.verdict, decision.codes, decision.warnings) == ("released", (), ())
    assert clean.passed


def test_a_changed_policy_blocks_until_it_is_approved() -> None:
    changed = POLICY.model_copy(update={"policy_version": "changed"})
    (decision,) = judge([candidate()], {}, changed).decisions
    assert decision.codes == ("RULESET_UNAPPROVED",)
    assert decision.rules_approved_by is None
    (reason,) = decision.reasons
    assert (reason["seen"], reason["expected"]) == (
        f"ruleset {rules.ruleset_version(changed)}",
        f"{RULES.version}, as approved",
    )
    (decision,) = judge([candidate()], approved(changed), changed).decisions
    assert decision.verdict == "released"
    assert decision.rules_approved_by == "boris, proposed by anna"


def test_where_nobody_approved_any_rules_nothing_is_released() -> None:
    (decision,) = judge([candidate()], {"rules": NOBODY}).decisions
    assert (decision.codes, decision.rules_approved_by) == (("RULESET_UNAPPROVED",), None)


def test_a_batch_far_above_the_usual_waits_for_approval() -> None:
    batch = POLICY.batch.model_copy(update={"usual_count": 3, "usual_amount": Decimal(300)})
    policy = POLICY.model_copy(update={"batch": batch})
    usual = BatchSize(1, {"EUR": Decimal(1)})
    rows = [candidate(number) for number in range(3)]
    outlier = judge(rows, approved(policy) | {"history": (usual,) * 5}, policy)
    assert {each.codes for each in outlier.decisions} == {("BATCH_OUTLIER",)}
    few = approved(policy) | {"history": (usual,) * 4}
    assert judge(rows, few, policy).released == 3, "too little history to judge by"
    before = {(each.business_id, each.revision): each for each in outlier.decisions}
    again = judge(rows, approved(policy) | {"history": (usual,) * 5, "previous": before}, policy)
    assert {each.codes for each in again.decisions} == {("BATCH_OUTLIER",)}, "waiting does not make it usual"


def test_every_case_is_a_case_of_a_rule() -> None:
    assert all(isinstance(case, Case) and (case.trips or case.trips_state) for case in CASES.values())
