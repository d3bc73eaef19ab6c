"""Duplicates: was this, or part of it, billed before or is it being billed right now?"""

from __future__ import annotations

from quality.rule import Rule, absent, equal, is_none_of, is_one_of, known, none_of

OWNER = "finance-systems"

RULES = (
    Rule(
        "ALREADY_POSTED", "duplicate", "BLOCK", OWNER,
        "A line of this invoice is already billed, or about to be, under another key.",
        "Compare the two shipments; take the line off the one to which it does not belong.",
        "{doubly_billed_charge_count} lines billed elsewhere: {doubly_billed_charges}", "none",
        (none_of("doubly_billed_charge_count"),),
    ),
    Rule(
        "IN_FLIGHT_UNKNOWN", "duplicate", "BLOCK", OWNER,
        "This invoice was sent and we do not know yet what became of it.",
        "Wait: the next push looks it up in the ERP. If it stays HELD, a person has to look.",
        "outbox says {outbox_state}", "no attempt whose outcome is open",
        (is_none_of("outbox_state", "SENDING", "UNKNOWN", "HELD", "CONFLICT"),),
    ),
    Rule(
        "PAYLOAD_CHANGED_AFTER_POST", "duplicate", "BLOCK", OWNER,
        "The invoice is posted, and what would be billed today differs from it.",
        "Correct it with a credit note and a new invoice; the posted one is never changed.",
        "content {content_hash}", "{posted_content_hash}, as posted",
        (equal("content_hash", "posted_content_hash", when="is_posted"),),
    ),
    Rule(
        "EXTERNALLY_INVOICED", "duplicate", "BLOCK", OWNER,
        "Somebody has invoiced this shipment in the ERP by hand.",
        "If that invoice is right, leave it at that; if not, cancel it in the ERP.",
        "ERP invoice {external_invoice_id}", "no invoice of somebody else",
        (absent("external_invoice_id"),),
    ),
    Rule(
        "SELF_BILLED", "duplicate", "BLOCK", OWNER,
        "This customer writes our invoices itself (self-billing).",
        "Wait for the customer's self-billed invoice and check it against the proof.",
        "self-billing agreed: {is_self_billed}", "a customer whom we bill",
        (
            is_one_of("is_self_billed", False, when="has_customer"),
            known("is_self_billed", when="has_customer"),
        ),
    ),
    Rule(
        "POSSIBLE_DUPLICATE", "duplicate", "APPROVAL", OWNER,
        "The ERP holds an invoice with the same customer, purchase order, amount and date.",
        "Compare the two; approve when both are owed.",
        "looks like ERP invoice {possible_duplicate_invoice_id}", "no look-alike",
        (absent("possible_duplicate_invoice_id"),),
    ),
)  # fmt: skip
