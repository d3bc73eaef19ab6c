"""ERPNext documents: naive times on the site's clock, amounts as JSON numbers, 0 and 1 for flags."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sandbox.world.masters import TAX_RATES, cost_centres
from sandbox.world.model import Customer, Invoice, Item, Order, Shipment, World, rounded, totals
from sandbox.world.moments import NOW, START, site
from sandbox.world.store import Documents


def write(world: World, documents: Documents) -> None:
    """Masters, orders, delivery notes and the invoices made by hand."""
    for company in world.companies:
        _fixed(
            documents,
            "Company",
            company.id,
            {
                "company_name": company.name,
                "default_currency": company.currency,
                "country": company.country,
                "tax_id": company.vat_id,
                "custom_time_zone": company.zone,
                "accounts_frozen_till_date": str(company.closed_until) if company.closed_until else None,
            },
        )
    for centre in cost_centres():
        body = {
            "cost_center_name": centre.name,
            "company": centre.company,
            "is_group": 0,
            "disabled": int(not centre.is_active),
        }
        _fixed(documents, "Cost Center", centre.id, body)
    for customer in world.customers:
        _fixed(documents, "Customer", customer.id, _customer(customer, world))
    for item in world.items:
        _fixed(documents, "Item", item.id, _item(item, world))
    for code, rate in TAX_RATES.items():
        _fixed(
            documents, "Item Tax Template", code, {"taxes": [{"tax_type": "VAT", "tax_rate": float(rate)}]}
        )
    for order in world.orders:
        moments = [order.ordered, order.confirmed, order.credit_ok]
        moments += [order.cancelled] if order.cancelled else []
        documents.add("erp", "Sales Order", order.id, moments, partial(sales_order, order))
        for shipment in order.shipments:
            if not order.cancelled or shipment.allocated < order.cancelled:
                documents.add(
                    "erp",
                    "Delivery Note",
                    f"DN-{shipment.id[3:]}",
                    [shipment.allocated],
                    partial(_delivery_note, shipment),
                )
    for invoice in world.invoices:
        write_invoice(invoice, documents)


def write_invoice(invoice: Invoice, documents: Documents) -> None:
    """An invoice that people made."""
    documents.add("erp", "Sales Invoice", invoice.id, [invoice.posted], partial(_invoice, invoice))


def head(name: str, created: datetime, modified: datetime, docstatus: int = 0) -> dict[str, Any]:
    """What every document of Frappe carries."""
    return {
        "name": name,
        "creation": site(created),
        "modified": site(modified),
        "docstatus": docstatus,
        "owner": "desk@waybill.invalid",
    }


def _fixed(documents: Documents, doctype: str, name: str, body: dict[str, Any]) -> None:
    documents.add("erp", doctype, name, [START], lambda at, seen: {**head(name, START, START), **body})


def _customer(customer: Customer, world: World) -> dict[str, Any]:
    company = next(depot.company for depot in world.depots if depot.id == customer.depot)
    usual = {
        "customer_name": customer.name,
        "disabled": 0,
        "is_frozen": 0,
        "custom_self_billing": 0,
        "custom_po_required": 0,
        "custom_pod_signature_required": 1,
        "custom_pod_photo_required": 0,
        "custom_allow_partial": 1,
        "default_currency": customer.currency,
        "territory": customer.region,
        "custom_country": customer.country,
        "tax_id": customer.vat_id,
        "payment_terms": "30 days net",
        "primary_address": customer.name,
        "credit_limits": [{"company": company, "credit_limit": 500000000.0}],
    }
    return usual | customer.more


def _item(item: Item, world: World) -> dict[str, Any]:
    accounts = [
        {"company": company.id, "income_account": f"4000 - {company.id}"}
        for company in world.companies
        if item.booked_by is None or company.id in item.booked_by
    ]
    return {
        "item_name": item.name,
        "stock_uom": item.uom,
        "weight_per_unit": float(item.weight),
        "uoms": [{"uom": item.uom, "conversion_factor": 1.0}, {"uom": "Box", "conversion_factor": 12.0}],
        "item_defaults": accounts,
    }


def sales_order(order: Order, at: datetime, modified: datetime) -> dict[str, Any]:
    """The order as the ERP knew it at ``at``."""

    def when(moment: datetime | None) -> str | None:
        return site(moment) if moment and moment <= at else None

    is_cancelled = bool(order.cancelled and order.cancelled <= at)
    status = "Cancelled" if is_cancelled else "To Deliver and Bill" if order.confirmed <= at else "Draft"
    net, tax = order.totals()
    items = [
        {
            "name": line.id,
            "idx": nr,
            "item_code": line.item.id,
            "qty": line.quantity,
            "uom": line.item.uom,
            "rate": float(line.price),
            "price_list_rate": float(line.price),
            "amount": float(rounded(line.price * line.quantity, order.currency)),
            "item_tax_template": line.tax_code,
            "custom_tax_rate": float(line.tax_rate),
            "custom_is_return": 0,
        }
        for nr, line in enumerate(order.lines, 1)
    ]
    return {
        **head(order.id, order.ordered, modified, 2 if is_cancelled else int(order.confirmed <= at)),
        "customer": order.customer.id,
        "company": order.company,
        "currency": order.currency,
        "status": status,
        "transaction_date": site(order.ordered)[:10],
        "delivery_date": site(order.promised)[:10],
        "custom_confirmed_at": when(order.confirmed),
        "custom_credit_ok_at": when(order.credit_ok),
        "custom_earliest_release_at": None,
        "custom_cancelled_at": when(order.cancelled),
        "custom_promised_from": site(order.promised_from) if order.promised_from else None,
        "custom_first_promised_to": site(order.promised),
        "custom_last_promised_to": site(order.promised),
        "custom_promise_precision": order.precision,
        "custom_depot": order.depot.id,
        "po_no": order.po_no,
        "conversion_rate": 1.0,
        "custom_conversion_date": site(order.ordered)[:10],
        "net_total": float(net),
        "total_taxes_and_charges": float(tax),
        "grand_total": float(net + tax),
        "items": items,
    } | order.more


def _delivery_note(shipment: Shipment, at: datetime, modified: datetime) -> dict[str, Any]:
    return {
        **head(f"DN-{shipment.id[3:]}", shipment.allocated, modified, 1),
        "custom_sales_order": shipment.order.id,
        "custom_shipment": shipment.id,
    }


def _invoice(invoice: Invoice, at: datetime, modified: datetime) -> dict[str, Any]:
    shipment, order = invoice.shipment, invoice.shipment.order
    parts = [(line, Decimal(invoice.quantities.get(line.id, 0)) * invoice.factor) for line in order.lines]
    net, tax = totals(parts, order.currency)
    items = [
        {
            "name": f"{invoice.id}-{nr}",
            "item_code": line.item.id,
            "qty": float(quantity),
            "uom": line.item.uom,
            "rate": float(line.price),
            "amount": float(rounded(quantity * line.price, order.currency)),
            "so_detail": line.id,
            "item_tax_template": line.tax_code,
            "custom_tax_rate": float(line.tax_rate),
        }
        for nr, (line, quantity) in enumerate(parts, 1)
        if quantity
    ]
    stamp = site(invoice.posted)
    return {
        **head(invoice.id, invoice.posted, invoice.posted, 1),
        "customer": order.customer.id,
        "company": order.company,
        "currency": order.currency,
        "posting_date": stamp[:10],
        "posting_time": stamp[11:],
        "custom_posted_at": stamp,
        "is_return": int(bool(invoice.credits)),
        "return_against": invoice.credits,
        "po_no": order.po_no,
        "custom_sales_order": order.id,
        "custom_shipment": shipment.id if invoice.names == "shipment" else None,
        "custom_waybill_key": None,
        "net_total": float(net),
        "total_taxes_and_charges": float(tax),
        "grand_total": float(net + tax),
        "outstanding_amount": 0.0 if invoice.posted < NOW else float(net + tax),
        "items": items,
    }
