"""What the ERP's books say against an invoice: made by hand already, cancelled, too fine, in another month."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.world.dialects import frappe
from sandbox.world.faults.registry import kind
from sandbox.world.model import Case, Invoice
from sandbox.world.moments import told_once
from sandbox.world.store import Documents

_FORTNIGHT = timedelta(days=14)


def _after_proof(case: Case) -> datetime:
    return case.shipment.pods[0].received + timedelta(minutes=10)


def _at_confirmation(case: Case) -> datetime:
    return case.order.confirmed


def _by_hand(
    posted: Callable[[Case], datetime] = _after_proof, factor: str = "1", **changes: Any
) -> Callable[[Case, Documents], None]:
    """Somebody at the desk bills what was delivered; ``changes`` are what the document says otherwise."""

    def patch(case: Case, documents: Documents) -> None:
        delivered = dict(case.shipment.pods[0].delivered)
        made = Invoice(_name(case), case.shipment, posted(case), delivered, Decimal(factor))
        if "custom_shipment" in changes:
            made.names = None if "custom_sales_order" in changes else "order"
        case.invoices.append(made)
        frappe.write_invoice(made, documents)
        documents.edit("erp", "Sales Invoice", made.id, lambda body: body.update(changes))

    return patch


def _typed_in(factor: str = "1") -> Callable[[Case, Documents], None]:
    """The same, typed in without a look at the order: only customer and PO number say what it is for."""
    write = _by_hand(factor=factor, custom_shipment=None, custom_sales_order=None)

    def patch(case: Case, documents: Documents) -> None:
        write(case, documents)

        def forget(body: dict[str, Any]) -> None:
            for line in body["items"]:
                line["so_detail"] = None

        documents.edit("erp", "Sales Invoice", _name(case), forget)

    return patch


def _name(case: Case) -> str:
    return f"SINV-H{case.order.id[3:]}"


def _leave_next_day(case: Case) -> None:
    """So that what is invoiced at the confirmation has an earlier date than the delivery."""
    case.shipment.allocated += timedelta(days=1)


def _cancel_on_the_road(case: Case) -> None:
    departed = case.shipment.departed
    assert departed
    case.order.cancelled = told_once(departed + timedelta(minutes=10))


def _last_month(case: Case) -> None:
    order, shipment = case.order, case.shipment
    for name in ("ordered", "confirmed", "credit_ok", "promised"):
        setattr(order, name, getattr(order, name) - _FORTNIGHT)
    if order.promised_from:
        order.promised_from -= _FORTNIGHT
    shipment.allocated -= _FORTNIGHT


def _half_a_cent(case: Case, documents: Documents) -> None:
    """The line and the header alike, so that the order agrees with itself."""

    def change(body: dict[str, Any]) -> None:
        for row, name in ((body["items"][0], "amount"), (body, "net_total"), (body, "grand_total")):
            row[name] = float(Decimal(str(row[name])) + Decimal("0.005"))

    documents.edit("erp", "Sales Order", case.order.id, change)


kind(name="billed by hand", system="erp", codes=("EXTERNALLY_INVOICED",), patch=_by_hand())
kind(
    name="billed by hand without a reference",
    system="erp",
    codes=("POSSIBLE_DUPLICATE",),
    patch=_typed_in(),
)
kind(name="another amount billed by hand without a reference", system="erp", patch=_typed_in("2"))
kind(
    name="whole order billed in advance",
    system="erp",
    codes=("ORDER_FULLY_INVOICED",),
    prepare=_leave_next_day,
    patch=_by_hand(_at_confirmation, custom_shipment=None),
)
kind(
    name="cancelled on the road, yet handed over",
    system="erp",
    codes=("ORDER_CANCELLED",),
    after=_cancel_on_the_road,
)
kind(name="delivered last month", system="erp", codes=("CUTOFF_MISMATCH",), prepare=_last_month)
kind(name="half a cent", system="erp", codes=("TOO_MANY_DECIMALS",), patch=_half_a_cent)
