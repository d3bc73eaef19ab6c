"""Exception alerts: what an alert alone has to pass. The rest it shares with the other flows."""

from __future__ import annotations

from quality.rule import Rule, equal, is_none_of, is_one_of, known

OWNER = "customer-service"

RULES = (
    Rule(
        "ALERT_ADDRESSEE_UNKNOWN", "ledger", "BLOCK", OWNER,
        "Whose order the shipment is, or which ERP has it, is not known: nobody would know whom it concerns.",
        "Have the order loaded, or the shipment name the right one; then it is judged again.",
        "order {order_no} of {erp_connection}, company {company_id}, customer {customer_id}",
        "an order with its company and customer",
        (known("order_no"), known("erp_connection"), known("company_id"), known("customer_id")),
    ),
    Rule(
        "EXCEPTION_UNCLEAR", "evidence", "BLOCK", OWNER,
        "The exception does not say what it is, how grave, since when, or how it stands.",
        "Have the source say it in the words of the contract.",
        "{exception_code}, severity {exception_severity}, {exception_state} since {opened_at}",
        "a code, a severity and a cause, a state, and when it was opened",
        (
            known("exception_code"),
            known("exception_severity"),
            is_one_of("exception_severity", "low", "medium", "high", "critical"),
            known("exception_cause"),
            known("exception_state"),
            is_one_of("exception_state", "open", "paused", "resolved"),
            known("opened_at"),
            known("opening_date"),
        ),
    ),
    Rule(
        "ALERT_IN_FLIGHT", "duplicate", "BLOCK", OWNER,
        "This alert was sent and we do not know yet what became of it.",
        "Wait: the next push looks it up in the ERP. If it stays HELD, a person has to look.",
        "outbox says {outbox_state}", "no attempt whose outcome is open",
        (is_none_of("outbox_state", "SENDING", "UNKNOWN", "HELD", "CONFLICT"),),
    ),
    Rule(
        "ALERT_CHANGED_AFTER_POST", "duplicate", "BLOCK", OWNER,
        "The alert is in the ERP, and the very change it was made of says something else today.",
        "Correct the issue in the ERP. The next change of the exception brings its status up to date.",
        "content {content_hash}", "{posted_content_hash}, as sent",
        (equal("content_hash", "posted_content_hash", when="is_posted"),),
    ),
)  # fmt: skip
