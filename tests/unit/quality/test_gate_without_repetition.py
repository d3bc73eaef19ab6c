"""Sparing Great Expectations what it does over and over changes no answer of it."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from candidate_rows import AS_OF, candidate, context
from great_expectations.core import id_dict
from great_expectations.expectations.expectation import Expectation
from rule_cases import CASES

from quality.gate import GateResult, evaluate
from quality.policy import load_policy
from quality.runtime import lightened
from quality.suites import invoice_candidates


def judged() -> GateResult:
    """What trips each rule, in one batch."""
    rows = [candidate(number, **case.trips) for number, case in enumerate(CASES.values(), 1)]
    return evaluate(rows, context(), load_policy(), "run_1", AS_OF)


def test_the_answers_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    spared = judged()
    monkeypatch.setattr(invoice_candidates, "lightened", nullcontext)
    whole = judged()
    assert spared.decisions == whole.decisions and spared.rule_results == whole.rule_results
    assert sum(each.failed > 0 for each in spared.rule_results) > 20
    told = [[each.to_json_dict() for each in result.results] for result in (spared.result, whole.result)]
    assert told[0] == told[1]


def test_it_is_left_as_it_was_also_after_a_failure() -> None:
    before = Expectation.configuration, id_dict.convert_to_json_serializable
    with pytest.raises(ZeroDivisionError), lightened():
        assert Expectation.configuration is not before[0]
        raise ZeroDivisionError
    assert (Expectation.configuration, id_dict.convert_to_json_serializable) == before


def test_an_id_tells_values_apart_as_before() -> None:
    values = [
        {"a": each, "b": 1} for each in ("1", 1, True, None, [1], {"c": 1}, {"c": "1"}, 1.5, float("nan"))
    ]
    whole = [id_dict.IDDict(each).to_id() for each in values]
    with lightened():
        assert [id_dict.IDDict(each).to_id() for each in values] == whole
    assert len(set(whole)) == len(values) - 1  # what is no number is as good as none
