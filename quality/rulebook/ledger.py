"""Ledger and master data: may it be booked, for this customer, on this day, to some account?"""

from __future__ import annotations

from quality.rule import Rule, absent, between, is_one_of, known, none_of

ACCOUNTING = "accounting"
CREDIT = "credit-control"
MASTER = "master-data"
ORDERS = "order-management"

RULES = (
    Rule(
        "PERIOD_CLOSED", "ledger", "BLOCK", ACCOUNTING,
        "The books of the day of posting are closed. Nothing is ever re-dated by itself.",
        "Have accounting open the period, or decide on another day of posting.",
        "posting on {posting_date}, books closed until {books_closed_until}", "a day in an open period",
        (between("days_after_closing", minimum=1),),
    ),
    Rule(
        "CUTOFF_MISMATCH", "ledger", "APPROVAL", ACCOUNTING,
        "The delivery lies in another month than the posting: the revenue would fall into the wrong one.",
        "Approve with the accrual that accounting names.",
        "delivered on {delivery_date}, posting on {posting_date}", "both in the same month",
        (none_of("months_apart", when="is_billable"), known("months_apart", when="is_billable")),
    ),
    Rule(
        "ORDER_CANCELLED", "ledger", "BLOCK", ORDERS,
        "The order is cancelled or was never confirmed, yet goods were delivered on it.",
        "Clear with sales whether the goods are kept; then reopen the order, or collect them.",
        "order {order_no} is {order_status}", "confirmed or closed",
        (is_one_of("order_status", "confirmed", "closed", when="has_order"),),
    ),
    Rule(
        "ORDER_FULLY_INVOICED", "ledger", "BLOCK", ORDERS,
        "The whole order is already invoiced in the ERP.",
        "Compare with the ERP's invoices of the order; this one would come on top.",
        "{order_invoiced_amount} invoiced of {order_total_amount}", "something left to invoice",
        (between("order_uninvoiced_amount", minimum=0, strict=True),),
    ),
    Rule(
        "CUSTOMER_UNKNOWN_OR_INACTIVE", "ledger", "BLOCK", MASTER,
        "The customer is unknown to us or switched off in the ERP.",
        "Create or reactivate the customer in the ERP, or correct the order.",
        "customer {customer_id}, active: {customer_is_active}", "an active customer",
        (
            is_one_of("customer_is_active", True, when="has_order"),
            known("customer_is_active", when="has_order"),
        ),
    ),
    Rule(
        "CUSTOMER_BILLING_HOLD", "ledger", "BLOCK", CREDIT,
        "Billing of this customer is on hold.",
        "Ask credit control; lift the hold in the customer's record.",
        "on hold: {is_on_billing_hold}", "no hold",
        (
            is_one_of("is_on_billing_hold", False, when="has_customer"),
            known("is_on_billing_hold", when="has_customer"),
        ),
    ),
    Rule(
        "CREDIT_LIMIT", "ledger", "WARN", CREDIT,
        "With this invoice the customer owes more than its credit limit. Delivered goods stay invoiceable.",
        "Nothing is held up; credit control decides on further deliveries.",
        "open with this invoice {customer_open_amount}", "at most {credit_limit_amount}",
        (between("credit_left_amount", minimum=0),),
    ),
    Rule(
        "BILL_TO_MISSING", "ledger", "BLOCK", MASTER,
        "There is no address to which the invoice goes.",
        "Enter the billing address in the customer's record.",
        "billing address {bill_to_address}", "an address",
        (known("bill_to_address", when="has_customer"),),
    ),
    Rule(
        "PAYMENT_TERMS_MISSING", "ledger", "BLOCK", MASTER,
        "No payment terms are agreed, so no due date can be set.",
        "Enter the payment terms in the customer's record.",
        "payment terms {payment_terms}", "agreed terms",
        (known("payment_terms", when="has_customer"),),
    ),
    Rule(
        "PO_REFERENCE_REQUIRED", "ledger", "BLOCK", ORDERS,
        "This customer pays only against its own order number, and the order has none.",
        "Ask the customer for the number and enter it on the order.",
        "purchase order number {po_no}", "the customer's number",
        (known("po_no", when="is_po_due"),),
    ),
    Rule(
        "GL_MAPPING_MISSING", "ledger", "BLOCK", ACCOUNTING,
        "A line has no income account, or the order no company that would book it.",
        "Map the item to an income account of the company in the ERP.",
        "{missing_income_account_count} lines without an account, company {company_id}",
        "an account for each line and a company",
        (none_of("missing_income_account_count", when="has_order"), known("company_id", when="has_order")),
    ),
    Rule(
        "MASTER_DATA_CONFLICT", "ledger", "BLOCK", MASTER,
        "The source sent two different contents for the same version of the order.",
        "Save the order once more in the ERP, so that one newest version exists.",
        "contradicting versions of {conflicting_refs}", "one content per version",
        (absent("conflicting_refs"),),
    ),
)  # fmt: skip
