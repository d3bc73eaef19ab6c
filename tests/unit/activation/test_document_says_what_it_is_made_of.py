"""``FIELD_COLUMNS`` is what is made of a row, in each flow: change one column, and exactly the fields that name it change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activation import document, fulfilment
from contracts.outbound import OutboundDocument

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
} | {"currency": "USD", "lines_json": json.dumps([LINE | {"uom": "Box", "quantity": "3"}])}  # fmt: skip
GOODS = ("line_id", "order_line_id", "item_id", "quantity", "uom")
MONEY = ("po_no", "currency", "payment_terms", "net_total_amount", "tax_total_amount", "grand_total_amount")


def delivered(row: dict[str, Any]) -> dict[str, Any]:
    """The row of a confirmation about the same."""
    (line,) = json.loads(row["lines_json"])
    lines = json.dumps([{name: line[name] for name in GOODS}])
    kept = {name: value for name, value in row.items() if name not in MONEY}
    at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=row is CHANGED)
    return kept | {"lines_json": lines, "delivered_at": at}


Make = Callable[[Mapping[str, Any]], OutboundDocument]
FLOWS: dict[str, tuple[dict[str, Any], dict[str, Any], Make, Mapping[str, tuple[str, ...]]]] = {
    "invoice": (ROW, CHANGED, document.invoice_of, document.FIELD_COLUMNS),
    "fulfilment": (delivered(ROW), delivered(CHANGED), fulfilment.confirmation_of, fulfilment.FIELD_COLUMNS),
}


@pytest.mark.parametrize(
    ("flow", "column"), [(flow, each) for flow, (row, *_) in FLOWS.items() for each in sorted(row)]
)
def test_a_column_changes_exactly_the_fields_that_name_it(flow: str, column: str) -> None:
    row, other, made_of, columns = FLOWS[flow]
    before, after = made_of(row), made_of(row | {column: other[column]})
    changed = {
        field for field in type(before).model_fields if getattr(before, field) != getattr(after, field)
    }
    assert changed == {field for field, behind in columns.items() if column in behind}


@pytest.mark.parametrize("flow", FLOWS)
def test_every_field_says_it(flow: str) -> None:
    row, _, made_of, columns = FLOWS[flow]
    assert set(columns) == set(type(made_of(row)).model_fields)
