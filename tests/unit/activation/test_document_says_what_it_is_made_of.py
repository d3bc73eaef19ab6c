"""``FIELD_COLUMNS`` is what ``document_of`` does: change one column, and exactly the fields that name it change."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from activation.document import FIELD_COLUMNS, document_of
from contracts.invoice import InvoiceDocument

LINE = {
    "line_id": "1", "charge_key": "S1|1|goods|1", "order_line_id": "L1", "item_id": "I1", "quantity": "2",
    "uom": "Nos", "net_price": "5", "net_amount": "10", "tax_code": "DE19", "tax_rate_percent": "19",
    "income_account": "8400",
}  # fmt: skip
ROW: dict[str, Any] = {
    "business_id": "B1", "revision": 1, "company_id": "C1", "destination": "erp", "customer_id": "K1", "order_no": "O1",
    "shipment_no": "S1", "po_no": "P1", "currency": "EUR", "pod_id": "D1", "delivery_date": date(2026, 11, 1),
    "posting_date": date(2026, 11, 2), "payment_terms": "30", "net_total_amount": Decimal("10"),
    "tax_total_amount": Decimal("1.90"), "grand_total_amount": Decimal("11.90"), "lines_json": json.dumps([LINE]),
}  # fmt: skip
CHANGED = ROW | {
    name: {"str": lambda v: v + "9", "int": lambda v: v + 1, "Decimal": lambda v: v + 1, "date": lambda v: date(2027, 1, 1)}[
        type(value).__name__
    ](value)
    for name, value in ROW.items()
} | {"currency": "USD", "lines_json": json.dumps([LINE | {"uom": "Box"}])}  # fmt: skip


@pytest.mark.parametrize("column", sorted(ROW))
def test_a_column_changes_exactly_the_fields_that_name_it(column: str) -> None:
    before, after = document_of(ROW), document_of(ROW | {column: CHANGED[column]})
    changed = {
        field for field in InvoiceDocument.model_fields if getattr(before, field) != getattr(after, field)
    }
    assert changed == {field for field, columns in FIELD_COLUMNS.items() if column in columns}


def test_every_field_says_it() -> None:
    assert set(FIELD_COLUMNS) == set(InvoiceDocument.model_fields)
