"""Delivery notes written into the ERP: goods without prices, the quantities added up by the server.

Belongs here: what differs from an invoice. Checks, steps and keys are those of every document that is written.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.servers.frappe_errors import FrappeError
from sandbox.servers.frappe_invoices import Invoice, Invoices, decimal, lines_of

DOCTYPE = "Delivery Note"


class DeliveryNotes(Invoices):
    """Writes delivery notes beside those that the world made as it allocated stock."""

    doctype, prefix = DOCTYPE, "MAT-DN"

    def _total(self, invoice: Invoice) -> None:
        for line in lines_of(invoice):
            line["qty"] = decimal(line.get("qty"))
            if line["qty"] <= 0:
                raise FrappeError("ValidationError", "Quantity must be greater than 0")
        invoice["total_qty"] = sum((line["qty"] for line in lines_of(invoice)), Decimal(0))
        invoice["status"] = "Draft"

    def _submit(self, invoice: Invoice, site: str) -> None:
        invoice |= {"docstatus": 1, "status": "To Bill", "custom_posted_at": site}
