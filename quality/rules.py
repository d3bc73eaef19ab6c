"""The index of rules: every code of the gate, once, with its owner, its words and its checks.

Assembles ``quality/rulebook``; a rule is written there, a tolerance in ``policy.yaml``, and how a column
comes about in ``frame_*.sql``. The ruleset version covers all three, and the code between them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ConfigurationError
from core.flows import EXCEPTION_ALERT, FULFILMENT, INVOICE
from core.ids import canonical_json, sha256_hex
from core.settings import ROOT
from quality.rule import Disposition, Rule
from quality.rulebook import (
    control,
    duplicates,
    evidence,
    exception_alerts,
    fulfilment,
    ledger,
    money,
    quantity,
)
from quality.suites import exception_alert_candidates, fulfilment_candidates
from state.rulesets import Ruleset

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
"""What an invoice has to pass."""
INDEX: dict[str, tuple[Rule, ...]] = {
    FULFILMENT.operation: fulfilment_candidates.RULES,
    INVOICE.operation: RULES,
    EXCEPTION_ALERT.operation: exception_alert_candidates.RULES,
}
"""Operation → the rules of its suite."""
BY_CODE: dict[str, Rule] = {rule.code: rule for rule in (*RULES, *fulfilment.RULES, *exception_alerts.RULES)}
CODES: tuple[str, ...] = tuple(BY_CODE)

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


JUDGING = (
    "context.py", "facts.py", "frame.py", "frame_measures.sql", "frame_scopes.sql", "gate.py", "inputs.py", "intake.py", "judge.py", "memory.py", "policy.py",
    "rule.py", "rules.py", "runtime.py", "state_view.py", "suites/exception_alert_candidates.py",
    "suites/fulfilment_candidates.py", "suites/invoice_candidates.py", "wording.py",
)  # fmt: skip
"""Files of ``quality`` that a verdict comes about in, besides the rulebook, whose checks are described."""


def ruleset_version(policy: Policy, folder: Path = ROOT / "quality") -> str:
    """SHA-256 of the content of the ruleset."""
    return ruleset(policy, folder).version


def ruleset(policy: Policy, folder: Path = ROOT / "quality") -> Ruleset:
    """What this package makes a verdict of: checks, dispositions, policy, and a hash of each file of ``JUDGING``.

    Who approves a change approves this content. Not in it is what comes from elsewhere: the candidates' models (each decision holds the hash of its inputs), what ``state``
    reads and lets pass, and the libraries.
    """
    rules = [
        {
            "code": each.code,
            "disposition": disposition(each.code, policy),
            "checks": [check.described() for check in each.checks],
        }
        for each in BY_CODE.values()
    ]
    terms = policy.model_dump(mode="json")
    content = canonical_json({"rules": rules, "policy": terms, "judging": _judging(folder)})
    return Ruleset("flows", policy.policy_version, content)


@cache
def _judging(folder: Path) -> dict[str, str]:
    """File → hash, once in a process: what it judges by is what it loaded, whatever becomes of the files."""
    return {name: sha256_hex((folder / name).read_text(encoding="utf-8").encode()) for name in JUDGING}
