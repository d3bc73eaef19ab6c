"""What a customer's record can lack or forbid."""

from __future__ import annotations

from typing import Any

from sandbox.world.faults.registry import kind
from sandbox.world.model import Case


def _customer(name: str, code: str, **fields: Any) -> None:
    kind(name=name, system="erp", codes=(code,), prepare=lambda case: case.order.customer.more.update(fields))


def _no_po(case: Case) -> None:
    case.order.customer.more["custom_po_required"] = 1
    case.order.more["po_no"] = None


def _limit(case: Case) -> None:
    case.order.customer.more["credit_limits"] = [{"company": case.order.company, "credit_limit": 1.0}]


_customer("self billed", "SELF_BILLED", custom_self_billing=1)
_customer("billing hold", "CUSTOMER_BILLING_HOLD", is_frozen=1)
_customer("inactive", "CUSTOMER_UNKNOWN_OR_INACTIVE", disabled=1)
_customer("no address", "BILL_TO_MISSING", primary_address=None)
_customer("no payment terms", "PAYMENT_TERMS_MISSING", payment_terms=None)
_customer("malformed VAT id", "VAT_ID_INVALID", tax_id="DE12")
_customer("other billing currency", "CURRENCY_MISMATCH", default_currency="GBP")
kind(name="no PO number", system="erp", codes=("PO_REFERENCE_REQUIRED",), prepare=_no_po)
kind(name="over credit limit", system="erp", warns=("CREDIT_LIMIT",), prepare=_limit)
for _name in ('=HYPERLINK("http://x.invalid")', "Robert'); DROP TABLE orders;--", "Caf\u00e9", "Cafe\u0301"):
    kind(
        name=f"odd name {_name!r}",
        system="erp",
        prepare=lambda case, n=_name: case.order.customer.more.update({"customer_name": n}),
    )
