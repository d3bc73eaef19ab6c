"""The suite of fulfilment confirmations: evidence, quantity, and what the ERP asks of whoever writes a delivery into it.

Every rule but its own two is a rule of the invoice too: what may be billed may be confirmed, so that no invoice waits for a
confirmation that its own proof would release. How checks are said and answered is ``invoice_candidates``.
"""

from __future__ import annotations

from quality.rule import Rule
from quality.rulebook import control, evidence, fulfilment, ledger, quantity

NAME = "fulfilment_candidates"
_NOT_OF_GOODS = frozenset({"PARTIAL_NOT_ALLOWED", "VALUE_OVER_LIMIT", "BATCH_OUTLIER"})
"""A part of a delivery is delivered all the same, and a confirmation has no amount."""
_OF_THE_LEDGER = frozenset(
    {
        *("PERIOD_CLOSED", "ORDER_CANCELLED", "MASTER_DATA_CONFLICT"),
        *("CUSTOMER_UNKNOWN_OR_INACTIVE", "CUSTOMER_BILLING_HOLD"),
    }
)
"""Where nobody knows which order it is, or the ERP would refuse the document: a customer on hold is frozen there."""

RULES: tuple[Rule, ...] = (
    *evidence.RULES,
    *(each for each in (*quantity.RULES, *control.RULES) if each.code not in _NOT_OF_GOODS),
    *(each for each in ledger.RULES if each.code in _OF_THE_LEDGER),
    *fulfilment.RULES,
)
