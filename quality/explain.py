"""A whole decision as a controller reads it, on a terminal or in a mail. No judgement here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.flows import BY_OPERATION, INVOICE
from quality.looked_at import looked_at
from quality.rules import BY_CODE
from quality.wording import UNKNOWN, plain
from state import credit_rules
from state.credit_decisions import CreditDecision, evaluated_again
from state.decisions import Decision
from state.gate_inputs import Lost


def explain(decision: Decision, kept: str | Lost | None = None) -> str:
    """The decision as a controller reads it: verdict first, each reason with what to do, what it was made on (``kept``)."""
    amount = (
        f"{plain(decision.amount)} {decision.currency}" if decision.amount is not None else "unknown amount"
    )
    is_invoice = decision.operation == INVOICE.operation
    about = "Shipment" if is_invoice else f"{BY_OPERATION[decision.operation].noun.capitalize()} of shipment"
    customer = f"Customer {decision.customer_id or UNKNOWN}"
    head = [
        f"{about} {decision.shipment_no}, order {decision.order_no or UNKNOWN}: {decision.verdict.upper()}",
        f"{customer}, {amount}" if is_invoice else customer,
        f"Judged {decision.decided_at:%Y-%m-%d %H:%M:%S} UTC on data as of {decision.as_of:%Y-%m-%d %H:%M:%S} UTC",
    ]
    lines = [line for reason in decision.reasons for line in _paragraph(reason)]
    if not lines:
        lines = ["", "Every rule passed."]
    if isinstance(kept, str):
        lines += looked_at(kept)
    tail = [
        "",
        f"Policy {decision.policy_version}, ruleset {decision.ruleset_version[:12]}, "
        f"input {decision.input_hash[:12]}, decision {decision.decision_id[:12]}",
        f"Rules approved by: {decision.rules_approved_by or UNKNOWN}",
        f"Inputs: {_inputs(decision, kept)}",
    ]
    return "\n".join([*head, *lines, *tail])


def _inputs(decision: Decision, kept: str | Lost | None) -> str:
    if kept is None:
        return "not kept, as of every decision before Waybill kept them"
    if isinstance(kept, Lost):
        return f"NOT WHAT WAS KEPT: {kept}"
    return f"kept; `waybill gate replay {decision.shipment_no}` evaluates them again"


def explain_credit(decision: CreditDecision) -> str:
    """The decision about a credit note, in the same way, and whether its kept inputs give it again."""
    head = [
        f"Credit note of shipment {decision.shipment_no}: {decision.verdict.upper()} before its {decision.step}",
        f"Judged {decision.decided_at:%Y-%m-%d %H:%M:%S} UTC",
    ]
    lines = [line for reason in decision.reasons for line in _paragraph(reason)]
    again = evaluated_again(decision)
    is_equal = (again.verdict, again.codes) == (decision.verdict, decision.codes)
    return "\n".join(
        [
            *head,
            *(lines or ["", "Every rule passed."]),
            "",
            f"Policy {decision.policy_version}, ruleset {decision.ruleset_version[:12]}, "
            f"input {decision.input_hash[:12]}, note {decision.payload_hash[:12]}",
            f"Rules approved by: {decision.rules_approved_by or UNKNOWN}",
            "Evaluated again by today's rules: "
            + ("equal" if is_equal else f"{again.verdict}, {', '.join(again.codes) or 'no code'}"),
        ]
    )


def _paragraph(reason: Mapping[str, Any]) -> list[str]:
    """One reason. Its words are those of the decision; only the explanation comes from today's index."""
    known = BY_CODE.get(reason["code"]) or credit_rules.BY_CODE.get(reason["code"])
    means = {
        "BLOCK": "blocks",
        "APPROVAL": "needs an approval",
        "WARN": "warns only",
        "APPROVED": "was approved",
    }
    return [
        "",
        f"{reason['code']} ({means.get(reason['disposition'], reason['disposition'])}): "
        f"{known.explanation if known else 'this rule no longer exists.'}",
        f"  seen      {reason['seen']}",
        f"  expected  {reason['expected']}",
        f"  to do     {reason['remedy']}",
        f"  owner     {reason['owner']}",
        *([f"  approved  by {reason['approved_by']}"] if "approved_by" in reason else []),
    ]
