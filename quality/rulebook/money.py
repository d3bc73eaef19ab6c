"""Price, tax, money: would the invoice stand up to the contract, to EN 16931 and to arithmetic?"""

from __future__ import annotations

from quality.rule import Rule, between, equal, is_one_of, known, none_of

PRICING = "pricing"
TAX = "tax"
FINANCE = "finance-systems"

RULES = (
    Rule(
        "PRICE_MISMATCH", "money", "BLOCK", PRICING,
        "A price on the order is not the agreed price, by more than both tolerances.",
        "Correct the order line, or record the special price in the price list.",
        "differs by {max_price_difference_amount} ({max_price_difference_percent} %)",
        "within {tolerance_price_amount} or {tolerance_price_percent} %",
        (none_of("price_excess_amount", when="has_order"), known("price_excess_amount", when="has_order")),
    ),
    Rule(
        "ACCESSORIAL_NO_EVIDENCE", "money", "BLOCK", "dispatch-operations",
        "An extra charge has no recorded event behind it.",
        "Record the event (waiting, second attempt, tail lift) in dispatch, or remove the charge.",
        "{unevidenced_charge_count} charges without evidence", "none",
        (none_of("unevidenced_charge_count"),),
    ),
    Rule(
        "CURRENCY_MISMATCH", "money", "BLOCK", FINANCE,
        "The order's currency is not the one in which this customer is billed.",
        "Correct the order, or the billing currency in the customer's record.",
        "order in {currency}", "{billing_currency}, the customer's billing currency",
        (equal("currency", "billing_currency", when="is_currency_prescribed"),),
    ),
    Rule(
        "CURRENCY_UNKNOWN", "money", "BLOCK", FINANCE,
        "The order has no currency, or one that ISO 4217 does not know.",
        "Correct the order's currency in the ERP.",
        "currency {currency}", "a currency of ISO 4217",
        (is_one_of("is_known_currency", True, when="has_order"), known("currency", when="has_order")),
    ),
    Rule(
        "FX_RATE_MISSING_OR_STALE", "money", "BLOCK", FINANCE,
        "The invoice is in a foreign currency and its exchange rate is missing or too old.",
        "Enter today's rate on the order in the ERP.",
        "rate {fx_rate}, {fx_rate_age_days} days old ({currency} for a company in {company_currency})",
        "a rate not older than {tolerance_fx_rate_age_days} days",
        (
            between("fx_rate", minimum=0, strict=True, when="is_fx_needed"),
            known("fx_rate", when="is_fx_needed"),
            between("fx_days_beyond_tolerance", maximum=0, when="is_fx_needed"),
            known("fx_days_beyond_tolerance", when="is_fx_needed"),
        ),
    ),
    Rule(
        "TAX_CODE_MISSING", "money", "BLOCK", TAX,
        "A line has no tax code.",
        "Set the tax template on the order line in the ERP.",
        "{missing_tax_code_count} lines without a tax code", "none",
        (none_of("missing_tax_code_count", when="has_order"),),
    ),
    Rule(
        "TAX_RATE_MISMATCH", "money", "BLOCK", TAX,
        "A line is taxed at another rate than its tax code stands for.",
        "Correct the rate on the line or the rate of the code.",
        "{tax_rate_mismatch_count} lines at another rate than their code", "none",
        (none_of("tax_rate_mismatch_count", when="has_order"),),
    ),
    Rule(
        "VAT_ID_INVALID", "money", "BLOCK", TAX,
        "The customer's VAT number cannot be right: its form is not that of its country.",
        "Ask the customer for the number and correct the customer's record.",
        "VAT number {vat_id}", "the form that the country prescribes",
        (is_one_of("is_vat_id_valid", True),),
    ),
    Rule(
        "TOTALS_INCONSISTENT", "money", "BLOCK", FINANCE,
        "The totals do not follow from the lines (EN 16931 BR-CO-10 to 16).",
        "Have the order's lines and totals recalculated in the ERP.",
        "net {net_total_amount} (lines {lines_net_amount}), tax {tax_total_amount} (lines {lines_tax_amount}), "
        "total {grand_total_amount}; order header off by {order_total_difference_amount}",
        "net and tax equal to the lines, total equal to net plus tax, "
        "order header within {tolerance_order_rounding_amount} of its lines",
        (
            none_of("totals_difference_amount", when="is_billable"),
            known("totals_difference_amount", when="is_billable"),
            none_of("order_total_excess_amount", when="has_order"),
        ),
    ),
    Rule(
        "TOO_MANY_DECIMALS", "money", "BLOCK", FINANCE,
        "An amount is finer than the currency allows (ISO 4217, at most two decimals).",
        "Round the amounts of the order in the ERP.",
        "{excess_decimals_total} amounts with too many decimals for {currency}", "none",
        (none_of("excess_decimals_total", when="has_order"),),
    ),
    Rule(
        "ROUNDING_UNEXPLAINED", "money", "BLOCK", FINANCE,
        "The order's header differs from its lines by cents that no rounding line explains.",
        "Add a rounding line to the order, or correct its header.",
        "order header off by {order_total_difference_amount}", "0",
        (none_of("order_rounding_amount", when="has_order"), known("order_rounding_amount", when="has_order")),
    ),
    Rule(
        "ZERO_OR_NEGATIVE_TOTAL", "money", "BLOCK", FINANCE,
        "The invoice would be over nothing, less than nothing, or an unknown amount.",
        "Correct prices and quantities on the order; what is owed to the customer needs a credit note.",
        "total {grand_total_amount}", "more than 0",
        (
            between("grand_total_amount", minimum=0, strict=True, when="is_billable"),
            known("grand_total_amount", when="is_billable"),
        ),
    ),
)  # fmt: skip
