"""The index of rules: every code of the gate, once, with its owner, its words and its checks.

Assembles ``quality/rulebook``; a rule is written there, a tolerance in ``policy.yaml``, and how a column
comes about in ``frame_*.sql``. The ruleset version covers all three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import ConfigurationError
from core.ids import canonical_json, sha256_hex
from core.settings import ROOT
from quality.rule import Disposition, Rule
from quality.rulebook import control, duplicates, evidence, ledger, money, quantity

if TYPE_CHECKING:
    from quality.policy import Policy

RULES: tuple[Rule, ...] = (
    *evidence.RULES,
    *quantity.RULES,
    *money.RULES,
    *duplicates.RULES,
    *ledger.RULES,
    *control.RULES,
)
BY_CODE: dict[str, Rule] = {rule.code: rule for rule in RULES}
CODES: tuple[str, ...] = tuple(rule.code for rule in RULES)

UNWEAKENABLE = frozenset({"CHECK_NOT_RUN", "RULESET_UNAPPROVED", "IN_FLIGHT_UNKNOWN", "ALREADY_POSTED"})
"""Codes that no policy may turn into a warning: without them a pass would prove nothing."""


def rule(code: str) -> Rule:
    """The rule of a code; an unknown code is refused, never passed over."""
    found = BY_CODE.get(code)
    if found is None:
        raise ConfigurationError(
            f"{code!r} is not a code of the gate.", remedy="Use a code that quality/rules.py lists."
        )
    return found


def disposition(code: str, policy: Policy) -> Disposition:
    """What a failure of this rule means under this policy."""
    return policy.dispositions.get(code, rule(code).disposition)


def ruleset_version(policy: Policy) -> str:
    """SHA-256 over everything that can change a verdict: checks, dispositions, policy, the frame's SQL."""
    rules = [
        {
            "code": each.code,
            "disposition": disposition(each.code, policy),
            "checks": [check.described() for check in each.checks],
        }
        for each in RULES
    ]
    frame = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "quality").glob("frame_*.sql"))]
    terms = policy.model_dump(mode="json", exclude={"approval"})
    return sha256_hex(canonical_json({"rules": rules, "policy": terms, "frame": frame}))
