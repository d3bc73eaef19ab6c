"""Small worlds for the dbt models: a clean delivered shipment in all its raw rows, and ways to change it.

Belongs here: rows that are valid under the contracts. What the models make of them is the tests' business.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.support.warehouse import VERSION, insert_rows

DEPARTED = datetime(2026, 11, 12, 6, tzinfo=UTC)
DELIVERED = datetime(2026, 11, 12, 10, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 12, 10, 5, tzinfo=UTC)
Row = dict[str, Any]


class World:
    """Rows by (kind, resource), written at once by ``write``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
        self.add("erp", "companies", company_id="WBDE", name="Waybill", currency="EUR",
                 time_zone="Europe/Berlin", books_closed_until=date(2026, 10, 31))  # fmt: skip
        self.customer("C1")
        self.item("I1", "I2")
        self.add("erp", "tax_codes", tax_code="DE19", rate_percent=Decimal(19))
        self.add("erp", "tax_codes", tax_code="DE7", rate_percent=Decimal(7))
        self.add("dispatch", "locations", location_id="PLACE", name="Ramp", kind="customer",
                 time_zone="Europe/Berlin", latitude=53.55, longitude=9.99, region="North")  # fmt: skip

    def add(self, kind: str, resource: str, /, **fields: Any) -> None:
        self.rows[kind, resource].append(fields)

    def customer(self, customer_id: str, **changes: Any) -> None:
        fields = {"name": customer_id, "payment_terms": "30 days", "bill_to_address": "Am Kai 1"}
        self.add("erp", "customers", customer_id=customer_id, **(fields | changes))

    def item(self, *item_ids: str, **changes: Any) -> None:
        for item_id in item_ids:
            fields = {"name": item_id, "uom": "EA", "income_account": "8400"}
            self.add("erp", "items", item_id=item_id, **(fields | changes))

    def order(self, order_id: str, *lines: Row, **changes: Any) -> None:
        """An order with lines ``order_line(…)``; its header says what the lines add up to."""
        lines = lines or (order_line(f"{order_id}-1"),)
        fields = {
            "customer_id": "C1", "currency": "EUR", "status": "confirmed", "company_id": "WBDE",
            "ordered_at": DEPARTED - timedelta(days=2), "net_total_amount": sum(each["net_amount"] for each in lines),
        }  # fmt: skip
        self.add("erp", "orders", order_id=order_id, **(fields | changes))
        version = changes.get("source_version", VERSION)
        for number, each in enumerate(lines, start=1):
            self.add(
                "erp",
                "order_lines",
                **({"order_id": order_id, "line_no": number, "source_version": version} | each),
            )

    def shipment(self, shipment: str, order_id: str, *loaded: Row, **changes: Any) -> None:
        """A consignment with loaded lines, departed and handed over (``handover=None``: not yet)."""
        handover = changes.pop("handover", "succeeded")
        version = changes.get("source_version", VERSION)
        fields = {"status": "completed", "time_zone": "Europe/Berlin", "delivery_location_id": "PLACE"}
        self.add("dispatch", "consignments", consignment_id=shipment, order_id=order_id, **(fields | changes))
        for number, each in enumerate(loaded or (moved(f"{order_id}-1"),), start=1):
            self.add("dispatch", "consignment_lines", consignment_line_id=f"{shipment}-{number}",
                     consignment_id=shipment, source_version=version, **each)  # fmt: skip
        self.action(f"{shipment}-load", shipment, "load", "succeeded", DEPARTED)
        if handover:
            self.action(f"{shipment}-hand", shipment, "handOver", handover, DELIVERED)

    def action(
        self, action_id: str, shipment: str, kind: str, result: str, end_at: datetime, **changes: Any
    ) -> None:
        fields = {"lifecycle": "realized", "start_at": end_at - timedelta(minutes=10), "end_at": end_at}
        self.add("dispatch", "actions", action_id=action_id, consignment_id=shipment, action_type=kind,
                 result_status=result, **(fields | changes))  # fmt: skip

    def proof(self, pod_id: str, shipment: str, *accepted: Row, **changes: Any) -> None:
        """A proof with accepted lines; ``proof(…, has_line_quantities=False)`` says none."""
        order_id = changes.get("order_id", f"O{shipment[1:]}")
        version = changes.get("source_version", VERSION)
        lines = accepted or (moved(f"{order_id}-1"),)
        fields = {"outcome": "succeeded", "captured_at": DELIVERED, "received_at": RECEIVED,
                  "order_id": order_id, "has_line_quantities": True}  # fmt: skip
        fields |= changes
        self.add("pod", "proofs", pod_id=pod_id, consignment_id=shipment, **fields)
        for number, each in enumerate(lines if fields["has_line_quantities"] else (), start=1):
            self.add("pod", "delivered_lines", pod_line_id=f"{pod_id}-{number}", pod_id=pod_id,
                     source_version=version, **each)  # fmt: skip

    def invoice(self, invoice_id: str, *lines: Row, **changes: Any) -> None:
        """An ERP invoice that people made."""
        fields = {
            "customer_id": "C1", "currency": "EUR", "status": "posted", "company_id": "WBDE",
            "created_at": RECEIVED, "posted_at": RECEIVED, "issue_date": date(2026, 11, 12),
            "net_total_amount": Decimal(100), "tax_total_amount": Decimal(19), "grand_total_amount": Decimal(119),
        }  # fmt: skip
        self.add("erp", "invoices", invoice_id=invoice_id, **(fields | changes))
        for number, each in enumerate(lines, start=1):
            self.add(
                "erp",
                "invoice_lines",
                invoice_line_id=f"{invoice_id}-{number}",
                invoice_id=invoice_id,
                **each,
            )

    def delivery(self, number: int | str, **order: Any) -> str:
        """Order, shipment and proof that fit; the shipment's number."""
        self.order(f"O{number}", **order)
        self.shipment(f"S{number}", f"O{number}")
        self.proof(f"P{number}", f"S{number}")
        return f"S{number}"

    def write(self, path: Path) -> None:
        for (kind, resource), rows in self.rows.items():
            insert_rows(path, kind, resource, rows)


def order_line(line_id: str, quantity: str = "10", price: str = "10", **changes: Any) -> Row:
    """A line of 10 × 10.00 of I1 at 19 %, unless said otherwise."""
    net = (Decimal(quantity) * Decimal(price)).quantize(Decimal("0.01"))
    return {
        "order_line_id": line_id, "item_id": "I1", "quantity": Decimal(quantity), "uom": "EA",
        "unit_price_amount": Decimal(price), "net_amount": net, "tax_code": "DE19",
        "tax_rate_percent": Decimal(19),
    } | changes  # fmt: skip


def moved(line_id: str | None, quantity: str = "10", item_id: str = "I1", uom: str = "EA") -> Row:
    """A loaded, accepted or invoiced line."""
    return {"order_line_id": line_id, "item_id": item_id, "quantity": Decimal(quantity), "uom": uom}
