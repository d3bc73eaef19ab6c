"""Fulfilment confirmations as ERPNext's ``Delivery Note``: what was delivered, without prices, and the proof of it.

ERPNext adds the quantities up (``total_qty``); that sum is what is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from activation.destinations.base import PostedDelivery
from activation.destinations.frappe_kind import KEY, STATUS, Kind, posted_at
from contracts.fulfilment import NO_CURRENCY, FulfilmentDocument
from contracts.outbound import OutboundDocument

_FIELDS = (
    *("name", "docstatus", "company", "customer", "total_qty", "posting_date", "custom_posted_at", KEY),
    "modified",
)


def _read(data: Mapping[str, Any], zone: str) -> PostedDelivery:
    nothing = Decimal(0)
    return PostedDelivery(
        erp_id=str(data["name"]),
        status=STATUS[data["docstatus"]],
        idempotency_key=str(data.get(KEY) or ""),
        company_id=str(data["company"]),
        customer_id=str(data["customer"]),
        currency=NO_CURRENCY,
        net_total_amount=nothing,
        tax_total_amount=nothing,
        grand_total_amount=nothing,
        issue_date=date.fromisoformat(data["posting_date"]) if data.get("posting_date") else None,
        posted_at=posted_at(data, zone),
        total_quantity=Decimal(str(data["total_qty"])),
    )


def _body(document: OutboundDocument) -> dict[str, Any]:
    assert isinstance(document, FulfilmentDocument)
    delivered_at = document.delivered_at.isoformat() if document.delivered_at else None
    return {
        "customer": document.customer_id,
        "company": document.company_id,
        "posting_date": document.issue_date.isoformat(),
        "set_posting_time": 1,
        "custom_sales_order": document.order_no,
        "custom_shipment": document.shipment_no,
        "custom_proof_of_delivery": document.pod_id,
        "custom_delivered_at": delivered_at,
        KEY: document.idempotency_key,
        "items": [
            {
                "item_code": line.item_id,
                "qty": str(line.quantity),
                "uom": line.uom,
                "against_sales_order": document.order_no,
                "so_detail": line.order_line_id,
            }
            for line in document.lines
        ],
    }


DELIVERIES = Kind("Delivery Note", _FIELDS, _body, _read)
