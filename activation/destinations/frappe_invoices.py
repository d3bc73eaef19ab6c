"""Invoices and credit notes as ERPNext's ``Sales Invoice``; the ERP computes the totals itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from activation.destinations.base import PostedInvoice
from activation.destinations.frappe_kind import KEY, STATUS, Kind, posted_at
from contracts.invoice import CreditNoteDocument, InvoiceDocument
from contracts.outbound import OutboundDocument

_FIELDS = (
    *(
        "name",
        "docstatus",
        "company",
        "customer",
        "currency",
        "net_total",
        "total_taxes_and_charges",
        "grand_total",
    ),
    *("posting_date", "custom_posted_at", KEY, "modified", "return_against"),
)


def _read(data: Mapping[str, Any], zone: str) -> PostedInvoice:
    return PostedInvoice(
        erp_id=str(data["name"]),
        status=STATUS[data["docstatus"]],
        idempotency_key=str(data.get(KEY) or ""),
        company_id=str(data["company"]),
        customer_id=str(data["customer"]),
        currency=str(data["currency"]),
        net_total_amount=_amount(data["net_total"]),
        tax_total_amount=_amount(data["total_taxes_and_charges"]),
        grand_total_amount=_amount(data["grand_total"]),
        issue_date=date.fromisoformat(data["posting_date"]) if data.get("posting_date") else None,
        posted_at=posted_at(data, zone),
        credited_erp_id=str(data["return_against"]) if data.get("return_against") else None,
    )


def _body(document: OutboundDocument) -> dict[str, Any]:
    assert isinstance(document, InvoiceDocument)
    returned: dict[str, Any] = {}
    if isinstance(document, CreditNoteDocument):
        returned = {"is_return": 1, "return_against": document.credited_erp_id, "remarks": document.reason}
    return {
        **returned,
        "customer": document.customer_id,
        "company": document.company_id,
        "currency": document.currency,
        "posting_date": document.issue_date.isoformat(),
        "set_posting_time": 1,
        "po_no": document.po_no,
        "payment_terms_template": document.payment_terms,
        "custom_sales_order": document.order_no,
        "custom_shipment": document.shipment_no,
        "custom_proof_of_delivery": document.pod_id,
        KEY: document.idempotency_key,
        "items": [
            {
                "item_code": line.item_id,
                "qty": str(line.quantity),
                "uom": line.uom,
                "rate": str(line.net_price),
                "amount": str(line.net_amount),
                "so_detail": line.order_line_id,
                "item_tax_template": line.tax_code,
                "custom_tax_rate": None if line.tax_rate_percent is None else str(line.tax_rate_percent),
                "income_account": line.income_account,
            }
            for line in document.lines
        ],
    }


def _amount(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


INVOICES = Kind("Sales Invoice", _FIELDS, _body, _read)
