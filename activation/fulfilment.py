"""From a row of ``outbound_erp__fulfilments`` to the confirmation that is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from contracts.fulfilment import FulfilmentDocument, FulfilmentLine
from core.flows import FULFILMENT
from core.ids import idempotency_key

FIELD_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "idempotency_key": ("company_id", "destination", "business_id", "revision"),
    "business_id": ("business_id",),
    "shipment_no": ("shipment_no",),
    "order_no": ("order_no",),
    "company_id": ("company_id",),
    "customer_id": ("customer_id",),
    "issue_date": ("posting_date",),
    "pod_id": ("pod_id",),
    "delivered_at": ("delivered_at",),
    "delivery_date": ("delivery_date",),
    "total_quantity": ("lines_json",),
    "lines": ("lines_json",),
}
"""Field of the document → the columns of the row that it is made of."""


def confirmation_of(row: Mapping[str, Any]) -> FulfilmentDocument:
    """The confirmation a released row stands for; ValueError (Pydantic's) when the row is not complete."""
    lines = tuple(FulfilmentLine.model_validate(each) for each in json.loads(row["lines_json"]))
    return FulfilmentDocument(
        idempotency_key=idempotency_key(
            row["company_id"], row["destination"], FULFILMENT.operation, row["business_id"], row["revision"]
        ),
        business_id=row["business_id"],
        shipment_no=row["shipment_no"],
        order_no=row["order_no"],
        company_id=row["company_id"],
        customer_id=row["customer_id"],
        issue_date=row["posting_date"],
        pod_id=row["pod_id"],
        delivered_at=row["delivered_at"],
        delivery_date=row["delivery_date"],
        total_quantity=sum((each.quantity for each in lines), Decimal(0)),
        lines=lines,
    )
