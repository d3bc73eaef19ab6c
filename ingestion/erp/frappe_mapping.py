"""ERPNext's documents in the contracts' words: one function per doctype, nothing but mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from ingestion.base import Rejection, SourceRecord
from ingestion.http import has_repeated_key
from ingestion.times import BadTime, Times

Document = Mapping[str, Any]
Mapper = Callable[[Document, str], Iterator[SourceRecord]]
Fields = dict[str, Any] | Callable[[Times], dict[str, Any]]
"""A row's fields, or how to make them with times that may be refused."""

_CONFIRMED = frozenset({"To Deliver and Bill", "To Bill", "To Deliver", "Completed", "On Hold"})
_TOLERANCE, _TOLERANCE_SHARE = Decimal("1.00"), Decimal("0.01")


def company(document: Document, zone: str) -> Iterator[SourceRecord]:
    yield _record(
        "companies",
        document,
        zone,
        {
            "company_id": document.get("name"),
            "name": document.get("company_name"),
            "currency": document.get("default_currency"),
            "country": document.get("country"),
            "time_zone": document.get("custom_time_zone"),
            "books_closed_until": document.get("accounts_frozen_till_date"),
        },
    )


def customer(document: Document, zone: str) -> Iterator[SourceRecord]:
    limits = [each.get("credit_limit") for each in document.get("credit_limits") or []]
    yield _record(
        "customers",
        document,
        zone,
        {
            "customer_id": document.get("name"),
            "name": document.get("customer_name"),
            "is_active": not _flag(document.get("disabled")),
            "is_on_billing_hold": _flag(document.get("is_frozen")),
            "is_self_billed": _flag(document.get("custom_self_billing")),
            "requires_po": _flag(document.get("custom_po_required")),
            "requires_signature": _flag(document.get("custom_pod_signature_required")),
            "requires_photo": _flag(document.get("custom_pod_photo_required")),
            "allows_partial": _flag(document.get("custom_allow_partial", 1)),
            "billing_currency": document.get("default_currency") or None,
            "country": document.get("custom_country"),
            "region": document.get("territory"),
            "vat_id": document.get("tax_id") or None,
            "payment_terms": document.get("payment_terms") or None,
            "bill_to_address": document.get("primary_address") or None,
            "credit_limit_amount": limits[0] if limits else None,
        },
    )


def item(document: Document, zone: str) -> Iterator[SourceRecord]:
    accounts = [each.get("income_account") for each in document.get("item_defaults") or []]
    yield _record(
        "items",
        document,
        zone,
        {
            "item_id": document.get("name"),
            "name": document.get("item_name"),
            "uom": document.get("stock_uom"),
            "income_account": next((each for each in accounts if each), None),
            "weight_kg": document.get("weight_per_unit"),
        },
    )
    for each in document.get("uoms") or []:
        yield _record(
            "item_uoms",
            each,
            zone,
            {
                "item_id": document.get("name"),
                "uom": each.get("uom"),
                "factor": each.get("conversion_factor"),
            },
            parent=document,
        )


def tax_code(document: Document, zone: str) -> Iterator[SourceRecord]:
    rates = [each.get("tax_rate") for each in document.get("taxes") or []]
    yield _record(
        "tax_codes",
        document,
        zone,
        {"tax_code": document.get("name"), "rate_percent": rates[0] if rates else None},
    )


def order(document: Document, zone: str) -> Iterator[SourceRecord]:
    lines = document.get("items") or []
    yield _record(
        "orders", document, zone, lambda times: _order_fields(document, times), check=_total_differs
    )
    for each in lines:
        yield _record(
            "order_lines",
            each,
            zone,
            {
                "order_line_id": each.get("name"),
                "order_id": document.get("name"),
                "line_no": each.get("idx"),
                "item_id": each.get("item_code"),
                "quantity": each.get("qty"),
                "uom": each.get("uom"),
                "unit_price_amount": each.get("rate"),
                "net_amount": each.get("amount"),
                "contract_price_amount": each.get("price_list_rate"),
                "tax_code": each.get("item_tax_template") or None,
                "tax_rate_percent": each.get("custom_tax_rate"),
                "is_return": _flag(each.get("custom_is_return", 0)),
            },
            parent=document,
        )


def delivery_note(document: Document, zone: str) -> Iterator[SourceRecord]:
    yield _record(
        "delivery_notes",
        document,
        zone,
        lambda times: {
            "delivery_note_id": document.get("name"),
            "order_id": document.get("custom_sales_order"),
            "shipment_id": document.get("custom_shipment") or None,
            "status": _docstatus(document, "submitted"),
            "allocated_at": times.instant(document.get("creation")),
        },
    )


def invoice(document: Document, zone: str) -> Iterator[SourceRecord]:
    yield _record(
        "invoices",
        document,
        zone,
        lambda times: {
            "invoice_id": document.get("name"),
            "customer_id": document.get("customer"),
            "currency": document.get("currency"),
            "status": _docstatus(document, "posted"),
            "company_id": document.get("company"),
            "order_id": document.get("custom_sales_order") or None,
            "shipment_id": document.get("custom_shipment") or None,
            "po_no": document.get("po_no") or None,
            "is_credit_note": _flag(document.get("is_return", 0)),
            "credited_invoice_id": document.get("return_against") or None,
            "idempotency_key": document.get("custom_waybill_key") or None,
            "created_at": times.instant(document.get("creation")),
            "posted_at": times.instant(document.get("custom_posted_at")),
            "issue_date": document.get("posting_date"),
            "net_total_amount": document.get("net_total"),
            "tax_total_amount": document.get("total_taxes_and_charges"),
            "grand_total_amount": document.get("grand_total"),
        },
    )
    for each in document.get("items") or []:
        yield _record(
            "invoice_lines",
            each,
            zone,
            {
                "invoice_line_id": each.get("name"),
                "invoice_id": document.get("name"),
                "order_line_id": each.get("so_detail") or None,
                "item_id": each.get("item_code"),
                "quantity": each.get("qty"),
                "uom": each.get("uom"),
                "unit_price_amount": each.get("rate"),
                "net_amount": each.get("amount"),
            },
            parent=document,
        )


def _order_fields(document: Document, times: Times) -> dict[str, Any]:
    fields = {
        "order_id": document.get("name"),
        "customer_id": document.get("customer"),
        "currency": document.get("currency"),
        "status": _order_status(document),
        "company_id": document.get("company"),
        "depot_id": document.get("custom_depot"),
        "po_no": document.get("po_no") or None,
        "promise_precision": document.get("custom_promise_precision") or "timestamp",
        "fx_rate": document.get("conversion_rate"),
        "fx_rate_date": document.get("custom_conversion_date"),
        "net_total_amount": document.get("net_total"),
        "tax_total_amount": document.get("total_taxes_and_charges"),
        "grand_total_amount": document.get("grand_total"),
        "ordered_at": times.instant(document.get("creation")),
        "confirmed_at": times.instant(document.get("custom_confirmed_at")),
        "credit_ok_at": times.instant(document.get("custom_credit_ok_at")),
        "cancelled_at": times.instant(document.get("custom_cancelled_at")),
        "earliest_release_at": times.instant(document.get("custom_earliest_release_at")),
        "requested_delivery_at": times.instant(document.get("delivery_date")),
        "promised_from_at": times.instant(document.get("custom_promised_from")),
        "first_promised_at": times.instant(document.get("custom_first_promised_to")),
        "last_promised_at": times.instant(document.get("custom_last_promised_to")),
    }
    return fields | {"time_quality": times.quality}


def _order_status(document: Document) -> object:
    """The contract's word, or the document's own where it is none that we know."""
    status = document.get("status")
    if document.get("docstatus") == 2 or status == "Cancelled":
        return "cancelled"
    if status in _CONFIRMED:
        return "confirmed"
    return {"Draft": "draft", "Closed": "closed"}.get(str(status), status)


def _docstatus(document: Document, submitted: str) -> object:
    return {0: "draft", 1: submitted, 2: "cancelled"}.get(document.get("docstatus", 0), "unknown")


def _total_differs(document: Document) -> Rejection | None:
    """The header must be the sum of its lines, within what rounding and a forgotten cent can explain."""
    header = document.get("net_total")
    amounts = [each.get("amount") for each in document.get("items") or []]
    numbers = [
        each for each in [header, *amounts] if isinstance(each, int | Decimal) and Decimal(each).is_finite()
    ]
    if not amounts or len(numbers) != len(amounts) + 1:
        return None
    total, lines = Decimal(numbers[0]), sum((Decimal(each) for each in numbers[1:]), Decimal(0))
    if abs(total - lines) <= max(_TOLERANCE, abs(lines) * _TOLERANCE_SHARE):
        return None
    return Rejection("TOTAL_MISMATCH", f"the header says {total}, the lines add up to {lines}")


def _record(
    resource: str,
    document: Document,
    zone: str,
    fields: Fields,
    *,
    parent: Document | None = None,
    check: Callable[[Document], Rejection | None] | None = None,
) -> SourceRecord:
    """One row; a child carries its parent's version, so that it goes when the parent no longer has it."""
    head = parent or document
    mapped, refused = _mapped(fields, zone)
    if refused is None and has_repeated_key(document):
        refused = Rejection("FIELD_INVALID", "a key is named twice")
    if refused is None and check is not None:
        refused = check(document)
    order_ref = head.get("name") if "custom_confirmed_at" in head else head.get("custom_sales_order")
    return SourceRecord(
        resource=resource,
        raw=document,
        version=_version(head, zone),
        fields=mapped,
        rejection=refused,
        order_ref=order_ref if isinstance(order_ref, str) else None,
        shipment_ref=head.get("custom_shipment") or None,
    )


def _mapped(fields: Fields, zone: str) -> tuple[dict[str, Any] | None, Rejection | None]:
    if isinstance(fields, dict):
        return fields, None
    try:
        return fields(Times(zone)), None
    except BadTime as error:
        return None, error.rejection


def _version(document: Document, zone: str) -> datetime | None:
    try:
        return Times(zone).instant(document.get("modified"))
    except BadTime:
        return None


def _flag(value: object) -> object:
    """Frappe's 0 and 1 as a boolean; anything else is left for the contract to refuse."""
    return bool(value) if isinstance(value, int) and value in (0, 1) else value
