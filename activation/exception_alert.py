"""From a row of ``outbound_erp__exception_alerts`` to the alert that is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contracts.exception_alert import ExceptionAlertDocument
from core.flows import EXCEPTION_ALERT
from core.ids import idempotency_key

FIELD_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "idempotency_key": ("company_id", "destination", "business_id"),
    "business_id": ("business_id",),
    "shipment_no": ("shipment_no",),
    "order_no": ("order_no",),
    "company_id": ("company_id",),
    "customer_id": ("customer_id",),
    "issue_date": ("opening_date",),
    "exception_id": ("exception_id",),
    "code": ("exception_code",),
    "severity": ("exception_severity",),
    "cause_class": ("exception_cause",),
    "state": ("exception_state",),
    "opened_at": ("opened_at",),
}
"""Field of the document → the columns of the row that it is made of."""
_FIRST: Final = 1
"""The revision under whose key there is one document of all of them."""


def alert_of(row: Mapping[str, Any]) -> ExceptionAlertDocument:
    """The alert a released row stands for; ValueError (Pydantic's) when the row is not complete."""
    return ExceptionAlertDocument(
        idempotency_key=idempotency_key(
            row["company_id"], row["destination"], EXCEPTION_ALERT.operation, row["business_id"], _FIRST
        ),
        business_id=row["business_id"],
        shipment_no=row["shipment_no"],
        order_no=row["order_no"],
        company_id=row["company_id"],
        customer_id=row["customer_id"],
        issue_date=row["opening_date"],
        exception_id=row["exception_id"],
        code=row["exception_code"],
        severity=row["exception_severity"],
        cause_class=row["exception_cause"],
        state=row["exception_state"],
        opened_at=row["opened_at"],
    )
