"""Fulfilment confirmations: what a confirmation alone has to pass. The rest it shares with the invoice that follows it."""

from __future__ import annotations

from quality.rule import Rule, equal, is_none_of

OWNER = "order-management"

RULES = (
    Rule(
        "CONFIRMATION_IN_FLIGHT", "duplicate", "BLOCK", OWNER,
        "This confirmation was sent and we do not know yet what became of it.",
        "Wait: the next push looks it up in the ERP. If it stays HELD, a person has to look.",
        "outbox says {outbox_state}", "no attempt whose outcome is open",
        (is_none_of("outbox_state", "SENDING", "UNKNOWN", "HELD", "CONFLICT"),),
    ),
    Rule(
        "CONFIRMATION_CHANGED_AFTER_POST", "duplicate", "BLOCK", OWNER,
        "The delivery is confirmed in the ERP, and the proof says something else today.",
        "Correct the delivery note in the ERP: Waybill changes nothing that is posted.",
        "content {content_hash}", "{posted_content_hash}, as confirmed",
        (equal("content_hash", "posted_content_hash", when="is_posted"),),
    ),
)  # fmt: skip
