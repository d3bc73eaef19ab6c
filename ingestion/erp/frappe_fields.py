"""Frappe's documents as contract rows, field by field.

Each function takes a document, its change time, its child rows by child doctype, and a maker of time readers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from ingestion.base import SourceRecord
from ingestion.records import Fields, filled, flag, record
from ingestion.strict_json import loads
from ingestion.times import Refused, Times

Doc = dict[str, Any]
Children = dict[str, list[Doc]]
Clock = Callable[[], Times]

_ORDER_STATUS = {
    "Draft": "draft",
    "To Deliver and Bill": "confirmed",
    "To Bill": "confirmed",
    "To Deliver": "confirmed",
    "Completed": "confirmed",
    "Closed": "closed",
    "Cancelled": "cancelled",
}
_DOCSTATUS = {0: "draft", 1: "submitted", 2: "cancelled"}
_ORDER_TIMES = {
    "confirmed_at": "custom_confirmed_at",
    "credit_ok_at": "custom_credit_ok_at",
    "cancelled_at": "custom_cancelled_at",
    "earliest_release_at": "custom_earliest_release_at",
    "promised_from_at": "custom_promised_from",
    "first_promised_at": "custom_first_promised_to",
    "last_promised_at": "custom_last_promised_to",
}


def company(doc: Doc, changed: datetime | None, _: Children, clock: Clock) -> list[SourceRecord]:
    """One company; its books are closed up to ``accounts_frozen_till_date``."""
    key = {"company_id": doc.get("name")}

    def build() -> Fields:
        return key | {
            "name": doc.get("company_name"),
            "currency": doc.get("default_currency"),
            "time_zone": doc.get("custom_time_zone"),
            "country": filled(doc.get("country")),
            "vat_id": filled(doc.get("tax_id")),
            "books_closed_until": clock().day(
                doc.get("accounts_frozen_till_date"), "accounts_frozen_till_date"
            ),
        }

    return [record("companies", doc, changed, build, key=key)]


def cost_centre(doc: Doc, changed: datetime | None, _: Children, __: Clock) -> list[SourceRecord]:
    """Where a company books a cost."""
    key = {"cost_centre_id": doc.get("name")}

    def build() -> Fields:
        disabled = flag(doc.get("disabled"))
        return key | {
            "company_id": filled(doc.get("company")),
            "name": doc.get("cost_center_name"),
            "is_active": not disabled if isinstance(disabled, bool) else disabled,
        }

    return [record("cost_centres", doc, changed, build, key=key)]


def customer(doc: Doc, changed: datetime | None, children: Children, _: Clock) -> list[SourceRecord]:
    """One customer; its first credit limit counts."""
    key = {"customer_id": doc.get("name")}
    limits = [each.get("credit_limit") for each in children["Customer Credit Limit"]]

    def build() -> Fields:
        disabled = flag(doc.get("disabled"))
        return key | {
            "name": doc.get("customer_name"),
            "is_active": not disabled if isinstance(disabled, bool) else disabled,
            "is_on_billing_hold": flag(doc.get("is_frozen")),
            "is_self_billed": flag(doc.get("custom_self_billing")),
            "requires_po": flag(doc.get("custom_po_required")),
            "requires_signature": flag(doc.get("custom_pod_signature_required")),
            "requires_photo": flag(doc.get("custom_pod_photo_required")),
            "allows_partial": flag(doc.get("custom_allow_partial", 1)),
            "billing_currency": filled(doc.get("default_currency")),
            "country": filled(doc.get("custom_country")),
            "region": filled(doc.get("territory")),
            "vat_id": filled(doc.get("tax_id")),
            "payment_terms": filled(doc.get("payment_terms")),
            "bill_to_address": filled(doc.get("primary_address")),
            "credit_limit_amount": limits[0] if limits else None,
        }

    return [record("customers", doc, changed, build, key=key)]


def item(doc: Doc, changed: datetime | None, children: Children, _: Clock) -> list[SourceRecord]:
    """One item, its units, and the account of each company that has one."""
    key = {"item_id": doc.get("name")}

    def build() -> Fields:
        return key | {
            "name": doc.get("item_name"),
            "uom": doc.get("stock_uom"),
            "weight_kg": doc.get("weight_per_unit"),
        }

    records = [record("items", doc, changed, build, key=key)]
    for row in children["UOM Conversion Detail"]:
        unit = key | {"uom": row.get("uom"), "factor": row.get("conversion_factor")}
        records.append(record("item_uoms", row, changed, partial(dict, unit), key=unit))
    for row in children["Item Default"]:
        account = key | {
            "company_id": row.get("company"),
            "income_account": filled(row.get("income_account")),
        }
        records.append(record("item_accounts", row, changed, partial(dict, account), key=account))
    return records


def tax_code(doc: Doc, changed: datetime | None, children: Children, _: Clock) -> list[SourceRecord]:
    """One tax template with the rate of its first row."""
    rates = [each.get("tax_rate") for each in children["Item Tax Template Detail"]]
    fields = {"tax_code": doc.get("name"), "rate_percent": rates[0] if rates else None}
    return [record("tax_codes", doc, changed, lambda: fields, key=fields)]


def order(doc: Doc, changed: datetime | None, children: Children, clock: Clock) -> list[SourceRecord]:
    """One sales order and its lines; a header that contradicts its lines is refused."""
    key = {"order_id": doc.get("name")}
    lines = children["Sales Order Item"]

    def build() -> Fields:
        times = clock()
        fields = key | {
            "customer_id": filled(doc.get("customer")),
            "currency": doc.get("currency"),
            "status": _ORDER_STATUS.get(doc.get("status", ""), doc.get("status")),
            "ordered_at": times.iso(doc.get("creation"), "creation"),
            "company_id": filled(doc.get("company")),
            "depot_id": filled(doc.get("custom_depot")),
            "po_no": filled(doc.get("po_no")),
            "requested_delivery_date": times.day(doc.get("delivery_date"), "delivery_date"),
            "promise_precision": filled(doc.get("custom_promise_precision")) or "timestamp",
            "fx_rate": filled(doc.get("conversion_rate")),
            "fx_rate_date": times.day(doc.get("custom_conversion_date"), "custom_conversion_date"),
            "net_total_amount": doc.get("net_total"),
            "tax_total_amount": doc.get("total_taxes_and_charges"),
            "grand_total_amount": doc.get("grand_total"),
        }
        fields |= {ours: times.iso(doc.get(theirs), theirs) for ours, theirs in _ORDER_TIMES.items()}
        _agree_on_total(doc.get("net_total"), [each.get("amount") for each in lines])
        return fields | {"time_quality": times.quality}

    records = [record("orders", doc, changed, build, key=key)]
    return records + [_order_line(each, changed, key) for each in lines]


def deleted_order(doc: Doc, changed: datetime | None, _: Children, clock: Clock) -> list[SourceRecord]:
    """A sales order that somebody deleted, as the site remembers it: cancelled when it was deleted."""
    if doc.get("deleted_doctype") != "Sales Order" or flag(doc.get("restored")) is True:
        return []
    key = {"order_id": doc.get("deleted_name")}

    def build() -> Fields:
        was = loads(doc["data"])
        ended = {"status": "Cancelled", "custom_cancelled_at": doc.get("creation")}
        [found] = order(was | ended, changed, {"Sales Order Item": []}, clock)
        if found.rejection or not found.fields:
            raise ValueError(found.rejection.detail if found.rejection else "no fields")
        return dict(found.fields) | key

    return [record("orders", doc, changed, build, key=key, order_ref=doc.get("deleted_name"))]


def delivery_note(doc: Doc, changed: datetime | None, _: Children, clock: Clock) -> list[SourceRecord]:
    """One delivery note: stock was allocated when it was created. One that Waybill wrote confirms a delivery and is no source."""
    if filled(doc.get("custom_waybill_key")):
        return []
    key = {"delivery_note_id": doc.get("name")}

    def build() -> Fields:
        return key | {
            "order_id": filled(doc.get("custom_sales_order")),
            "shipment_id": filled(doc.get("custom_shipment")),
            "status": _DOCSTATUS.get(doc.get("docstatus", -1), str(doc.get("docstatus"))),
            "allocated_at": clock().iso(doc.get("creation"), "creation"),
        }

    own = doc.get("custom_sales_order"), doc.get("custom_shipment")
    return [record("delivery_notes", doc, changed, build, key=key, order_ref=own[0], shipment_ref=own[1])]


def invoice(doc: Doc, changed: datetime | None, children: Children, clock: Clock) -> list[SourceRecord]:
    """One invoice or credit note with its lines, whoever made it."""
    key = {"invoice_id": doc.get("name")}
    order_no, shipment_no = filled(doc.get("custom_sales_order")), filled(doc.get("custom_shipment"))

    def build() -> Fields:
        times = clock()
        status = {0: "draft", 1: "posted", 2: "cancelled"}
        return key | {
            "customer_id": doc.get("customer"),
            "currency": doc.get("currency"),
            "status": status.get(doc.get("docstatus", -1), str(doc.get("docstatus"))),
            "company_id": filled(doc.get("company")),
            "order_id": order_no,
            "shipment_id": shipment_no,
            "po_no": filled(doc.get("po_no")),
            "is_credit_note": flag(doc.get("is_return")),
            "credited_invoice_id": filled(doc.get("return_against")),
            "idempotency_key": filled(doc.get("custom_waybill_key")),
            "created_at": times.iso(doc.get("creation"), "creation"),
            "posted_at": times.iso(doc.get("custom_posted_at"), "custom_posted_at"),
            "issue_date": times.day(doc.get("posting_date"), "posting_date"),
            "net_total_amount": doc.get("net_total"),
            "tax_total_amount": doc.get("total_taxes_and_charges"),
            "grand_total_amount": doc.get("grand_total"),
        }

    records = [record("invoices", doc, changed, build, key=key, order_ref=order_no, shipment_ref=shipment_no)]
    for row in children["Sales Invoice Item"]:
        line = {
            "invoice_line_id": row.get("name"),
            **key,
            "order_line_id": filled(row.get("so_detail")),
            "item_id": row.get("item_code"),
            "quantity": row.get("qty"),
            "uom": row.get("uom"),
            "unit_price_amount": row.get("rate"),
            "net_amount": row.get("amount"),
        }
        records.append(
            record("invoice_lines", row, changed, partial(dict, line), key=line, order_ref=order_no,
                   shipment_ref=shipment_no)
        )  # fmt: skip
    return records


def _order_line(row: Doc, changed: datetime | None, order_key: Fields) -> SourceRecord:
    fields = {
        "order_line_id": row.get("name"),
        **order_key,
        "line_no": row.get("idx"),
        "item_id": row.get("item_code"),
        "quantity": row.get("qty"),
        "uom": row.get("uom"),
        "unit_price_amount": row.get("rate"),
        "net_amount": row.get("amount"),
        "contract_price_amount": filled(row.get("price_list_rate")),
        "tax_code": filled(row.get("item_tax_template")),
        "tax_rate_percent": filled(row.get("custom_tax_rate")),
        "is_return": flag(row.get("custom_is_return")),
    }
    return record("order_lines", row, changed, lambda: fields, key=fields)


def _agree_on_total(total: object, amounts: list[Any]) -> None:
    """Refuse a header that differs from its lines by more than 1.00 and more than 1 %."""
    try:
        header = Decimal(str(total))
        lines = sum((Decimal(str(each)) for each in amounts), Decimal(0))
        difference = abs(header - lines)
    except InvalidOperation:
        return
    if not amounts or not difference.is_finite():
        return
    if difference > max(Decimal(1), abs(header) / 100):
        raise Refused("TOTAL_MISMATCH", f"net_total {header} but the lines add up to {lines}")
