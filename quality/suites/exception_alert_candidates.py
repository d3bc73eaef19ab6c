"""The suite of exception alerts: what it says, whom it concerns, and whether the ERP can take it.

None of the rules on proof, goods or money: an exception is told because of what went wrong with these. How checks are said and
answered is ``invoice_candidates``.
"""

from __future__ import annotations

from quality.rule import Rule
from quality.rulebook import control, exception_alerts, ledger

NAME = "exception_alert_candidates"
_SHARED = frozenset(
    {
        *("SOURCE_STALE", "CHECK_NOT_RUN", "RULESET_UNAPPROVED", "ERP_UNAVAILABLE"),
        "CUSTOMER_UNKNOWN_OR_INACTIVE",
    }
)
"""Not CONTRACT_BROKEN: a proof that was refused at the border is no reason to tell nobody what went wrong."""

RULES: tuple[Rule, ...] = (
    *(each for each in (*control.RULES, *ledger.RULES) if each.code in _SHARED),
    *exception_alerts.RULES,
)
