"""Exception alerts as ERPNext's ``Issue``, on which customer service works.

An issue is never submitted: it has a status. People answer it (``Replied``) and close it (``Closed``), which says no more than
that it is open, or resolved; both are left as they are. Older versions call ``On Hold`` ``Hold``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from activation.destinations.base import PostedAlert
from activation.destinations.frappe_kind import KEY, Kind
from contracts.exception_alert import ExceptionAlertDocument
from contracts.fulfilment import NO_CURRENCY
from contracts.outbound import OutboundDocument
from core.clock import localize

_FIELDS = ("name", "status", "company", "customer", "opening_date", "modified", KEY)
_STATUS: Final = {"open": "Open", "paused": "On Hold", "resolved": "Resolved"}
_STATES: Final = {
    "Open": "open",
    "Replied": "open",
    "Hold": "paused",
    "On Hold": "paused",
    "Resolved": "resolved",
    "Closed": "resolved",
}
_PRIORITY: Final = {"low": "Low", "medium": "Medium", "high": "High", "critical": "High"}
"""ERPNext brings these three along; a site may have others."""


def _read(data: Mapping[str, Any], zone: str) -> PostedAlert:
    nothing = Decimal(0)
    return PostedAlert(
        erp_id=str(data["name"]),
        status="posted",
        idempotency_key=str(data.get(KEY) or ""),
        company_id=str(data["company"]),
        customer_id=str(data["customer"]),
        currency=NO_CURRENCY,
        net_total_amount=nothing,
        tax_total_amount=nothing,
        grand_total_amount=nothing,
        issue_date=date.fromisoformat(data["opening_date"]) if data.get("opening_date") else None,
        posted_at=localize(datetime.fromisoformat(data["modified"]), zone)[0],
        state=_STATES.get(data["status"], str(data["status"])),
    )


def _body(document: OutboundDocument) -> dict[str, Any]:
    assert isinstance(document, ExceptionAlertDocument)
    return {
        "subject": f"{document.code}: shipment {document.shipment_no}",
        "description": (
            f"Exception {document.exception_id} of shipment {document.shipment_no}, order {document.order_no}: "
            f"{document.code}, severity {document.severity}, cause {document.cause_class}, "
            f"opened {document.opened_at:%Y-%m-%d %H:%M} UTC."
        ),
        "priority": _PRIORITY[document.severity],
        "customer": document.customer_id,
        "company": document.company_id,
        "opening_date": document.issue_date.isoformat(),
        "custom_sales_order": document.order_no,
        "custom_shipment": document.shipment_no,
        "custom_exception": document.exception_id,
        KEY: document.idempotency_key,
        **_change(document),
    }


def _change(document: OutboundDocument) -> dict[str, Any]:
    assert isinstance(document, ExceptionAlertDocument)
    return {"status": _STATUS[document.state]}


ISSUES = Kind("Issue", _FIELDS, _body, _read, _change)
