"""What differs between two rulesets is said in words, each difference once."""

from __future__ import annotations

from typing import Any

import pytest

from core.ids import canonical_json
from state.ruleset_changes import changes

BEFORE: dict[str, Any] = {
    "policy": {
        "policy_version": "1",
        "tolerances": {"price_percent": "0.5"},
        "invoice_limit_amount": {"EUR": "250000"},
        "dispositions": {},
    },
    "rules": [
        {"code": "POD_MISSING", "disposition": "BLOCK", "checks": [{"kind": "between", "maximum": None}]},
        {"code": "CREDIT_LIMIT", "disposition": "WARN", "checks": []},
    ],
    "judging": {"judge.py": "a", "gate.py": "b"},
}


def said(**after: Any) -> list[str]:
    return changes(canonical_json(BEFORE), canonical_json(BEFORE | after))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"policy": BEFORE["policy"] | {"tolerances": {"price_percent": "1.0"}}}, ["tolerances.price_percent: 0.5 → 1.0"]),
        (
            {"policy": BEFORE["policy"] | {"invoice_limit_amount": {"CHF": "1"}}},
            ["invoice_limit_amount.EUR: 250000 → none", "invoice_limit_amount.CHF: none → 1"],
        ),
        ({"policy": BEFORE["policy"] | {"policy_version": "2"}}, ["policy_version: 1 → 2"]),
        ({"rules": BEFORE["rules"][:1]}, ["rule CREDIT_LIMIT: gone, was WARN"]),
        ({"rules": [*BEFORE["rules"], {"code": "NEW", "disposition": "BLOCK", "checks": [{}]}]}, ["rule NEW: new, BLOCK"]),
        (
            {"rules": [BEFORE["rules"][0], BEFORE["rules"][1] | {"disposition": "BLOCK"}]},
            ["rule CREDIT_LIMIT disposition: WARN → BLOCK"],
        ),
        (
            {"rules": [BEFORE["rules"][0] | {"checks": [{"kind": "between", "maximum": 1}]}, BEFORE["rules"][1]]},
            ["rule POD_MISSING checks.0.maximum: none → 1"],
        ),
        (
            {"judging": {"judge.py": "c", "facts.py": "d"}},
            ["code facts.py: new", "code gate.py: gone", "code judge.py: changed"],
        ),
        ({}, []),
    ],
)  # fmt: skip
def test_each_difference_is_said_once(after: dict[str, Any], expected: list[str]) -> None:
    assert said(**after) == expected


def test_a_ruleset_that_has_no_policy_is_compared_by_what_it_has() -> None:
    assert changes(canonical_json({"judging": {"a": "1"}}), canonical_json({"judging": {"a": "2"}})) == [
        "code a: changed"
    ]
