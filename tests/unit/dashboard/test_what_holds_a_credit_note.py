"""What the pages say of a draft of a credit note that waits: every code with its words, or that a second person is due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dashboard.waiting import Hold, holds
from state.credit_decisions import CreditDecision
from state.credit_rules import BY_CODE


def decision(*reasons: dict[str, Any]) -> CreditDecision:
    return CreditDecision(
        idempotency_key="k", invoice_key="i", shipment_no="S1", payload_hash="p", step="draft",
        verdict="blocked" if reasons else "released", codes=tuple(each["code"] for each in reasons), reasons=list(reasons),
        inputs=b"{}", input_hash="h", ruleset_version="r", policy_version="p", rules_approved_by="x",
        decided_at=datetime(2026, 11, 13, tzinfo=UTC),
    )  # fmt: skip


def test_a_blocked_draft_shows_each_code_with_its_words_and_owner() -> None:
    told = holds(
        decision(
            {"code": "REASON_MISSING", "seen": "none", "owner": "finance-controlling"},
            {"code": "CODE_OF_ANOTHER_DAY", "seen": "it was odd", "owner": "data-platform"},
        )
    )
    assert told == (
        Hold("REASON_MISSING", BY_CODE["REASON_MISSING"].explanation, "finance-controlling"),
        Hold("CODE_OF_ANOTHER_DAY", "it was odd", "data-platform"),
    )


def test_a_draft_that_passed_or_was_not_judged_waits_for_a_person_alone() -> None:
    for judged in (decision(), None):
        (told,) = holds(judged)
        assert (told.code, told.owner) == (None, "finance-controlling")
