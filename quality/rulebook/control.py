"""Control: was the judging itself sound, and is anybody there to receive the result?"""

from __future__ import annotations

from quality.rule import Rule, absent, between, equal, is_one_of, known, none_of, unique

PLATFORM = "data-platform"
CONTROLLING = "finance-controlling"

RULES = (
    Rule(
        "SOURCE_STALE", "control", "BLOCK", PLATFORM,
        "A system on which this verdict rests did not answer, or not for too long: it may know better.",
        "Bring the connection back; the candidate is judged again in the next run.",
        "no fresh answer from {stale_sources}", "every source answered within its agreed time",
        (absent("stale_sources"),),
    ),
    Rule(
        "CONTRACT_BROKEN", "control", "BLOCK", PLATFORM,
        "Part of what this invoice rests on was refused at the border or is missing.",
        "Open the dead letters of the order or shipment, and have the source correct them.",
        "{broken_inputs}", "every row of the order and the shipment accepted",
        (absent("broken_inputs"),),
    ),
    Rule(
        "CHECK_NOT_RUN", "control", "BLOCK", PLATFORM,
        "A check could not be made, and what was not checked is not released.",
        "See which column or check failed; mend it and run the gate again.",
        "values missing or unfit: {unfit_columns}", "every check made on values that can be judged",
        (absent("unfit_columns"), unique("business_id", "revision")),
    ),
    Rule(
        "RULESET_UNAPPROVED", "control", "BLOCK", CONTROLLING,
        "The rules or the policy differ from those that were approved.",
        "`waybill gate rules` shows the change: one person runs `waybill gate propose-rules`, another one `waybill gate approve-rules`.",
        "ruleset {ruleset_version}", "{approved_ruleset_version}, as approved",
        (equal("ruleset_version", "approved_ruleset_version"),),
    ),
    Rule(
        "VALUE_OVER_LIMIT", "control", "APPROVAL", CONTROLLING,
        "The invoice is above the amount that may go out without a second person.",
        "Approve it, or have the limit of the currency changed in the policy.",
        "{grand_total_amount} {currency}", "at most {invoice_limit_amount}",
        (
            between("value_over_limit_amount", maximum=0, when="is_limited"),
            known("value_over_limit_amount", when="is_limited"),
        ),
    ),
    Rule(
        "BATCH_OUTLIER", "control", "APPROVAL", CONTROLLING,
        "The batch as a whole is far larger than usual.",
        "Find out why there is so much at once; approve the batch when it is right.",
        "{batch_count} new candidates, {batch_amount} {currency} together",
        "at most {batch_count_limit} candidates and {batch_amount_limit}",
        (none_of("batch_excess_count"),),
    ),
    Rule(
        "ERP_UNAVAILABLE", "control", "BLOCK", PLATFORM,
        "The ERP that would receive the invoice does not answer, or none is configured.",
        "Nothing is lost: it is judged again when the ERP is back.",
        "{erp_connection} answering: {is_erp_available}", "a destination that answers",
        (
            is_one_of("is_erp_available", True, when="has_order"),
            known("is_erp_available", when="has_order"),
        ),
    ),
)  # fmt: skip
