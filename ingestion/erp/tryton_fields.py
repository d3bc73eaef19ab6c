"""Tryton's records as contract rows, field by field, and the names of the fields that are asked for.

Each function takes a record as it came, the same with dates, times and decimals read, and its change time. Ids are Tryton's record ids,
except an order's: dispatch and drivers know it by its number.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from ingestion.base import SourceRecord
from ingestion.records import Fields, flag, record
from ingestion.times import Refused

Doc = dict[str, Any]

COMPANY = (
    "party.name",
    "party.tax_identifier.code",
    "party.addresses.country.code",
    "currency.code",
    "timezone",
)
CUSTOMER = (
    *("name", "active", "customer_payment_term", "tax_identifier.code"),
    *("addresses.street", "addresses.postal_code", "addresses.city", "addresses.country.code"),
)
TAX = ("rate",)
ITEM = (
    *("rec_name", "default_uom.symbol", "default_uom.factor"),
    *("default_uom.category.uoms.symbol", "default_uom.category.uoms.factor"),
    *("template.account_category.accounts.company", "template.account_category.accounts.account_revenue"),
)
_LINE = ("type", "product", "quantity", "unit.symbol", "unit_price", "amount", "taxes.rate", "taxes.type")
ORDER = (
    *("number", "party", "currency.code", "state", "company", "reference"),
    *("untaxed_amount", "tax_amount", "total_amount"),
    *(f"lines.{each}" for each in _LINE),
)
INVOICE = (
    *(
        "party",
        "currency.code",
        "state",
        "company",
        "reference",
        "description",
        "invoice_date",
        "sales.number",
    ),
    *("untaxed_amount", "tax_amount", "total_amount", "origin_invoices", "move.create_date", "lines.origin"),
    *(f"lines.{each}" for each in _LINE),
)

_ORDER_STATUS = {
    "draft": "draft",
    "quotation": "draft",
    "confirmed": "confirmed",
    "processing": "confirmed",
    "done": "confirmed",
    "cancelled": "cancelled",
}
_INVOICE_STATUS = {
    "draft": "draft",
    "validated": "draft",
    "posted": "posted",
    "paid": "posted",
    "cancelled": "cancelled",
}
_KEY, _SHIPMENT = "waybill:", "shipment "
"""What Waybill writes into reference and description of an invoice."""


def company(raw: Doc, doc: Doc, changed: datetime | None) -> list[SourceRecord]:
    """One company. Tryton refuses to post into a closed period itself."""
    party = doc["party"]
    fields = {
        "company_id": str(doc["id"]),
        "name": party["name"],
        "currency": doc["currency"]["code"],
        "time_zone": doc["timezone"],
        "country": _country(party["addresses"]),
        "vat_id": _of(party["tax_identifier"], "code"),
    }
    return [_row("companies", raw, changed, fields, "company_id")]


def customer(raw: Doc, doc: Doc, changed: datetime | None) -> list[SourceRecord]:
    """One party: Tryton does not say which of them are customers."""
    addresses = doc["addresses"]
    parts = [addresses[0][each] for each in ("street", "postal_code", "city")] if addresses else []
    fields = {
        "customer_id": str(doc["id"]),
        "name": doc["name"] or f"party {doc['id']}",
        "is_active": flag(doc["active"]),
        "country": _country(addresses),
        "vat_id": _of(doc["tax_identifier"], "code"),
        "payment_terms": _id(doc["customer_payment_term"]),
        "bill_to_address": ", ".join(" ".join(each.split()) for each in parts if each) or None,
    }
    return [_row("customers", raw, changed, fields, "customer_id")]


def tax_code(raw: Doc, doc: Doc, changed: datetime | None) -> list[SourceRecord]:
    """One tax in percent of the net amount."""
    fields = {"tax_code": str(doc["id"]), "rate_percent": _percent(doc["rate"])}
    return [_row("tax_codes", raw, changed, fields, "tax_code")]


def item(raw: Doc, doc: Doc, changed: datetime | None) -> list[SourceRecord]:
    """One product, the units in which it can be counted, and the account of each company that sells it."""
    key, unit = str(doc["id"]), doc["default_uom"]
    fields: Fields = {"item_id": key, "name": doc["rec_name"], "uom": unit["symbol"]}
    records = [_row("items", raw, changed, fields, "item_id")]
    told = {"product": doc["id"]}
    for each in raw["default_uom"]["category"]["uoms"]:
        factor = (Decimal(each["factor"]) / Decimal(unit["factor"])).quantize(Decimal("0.00000001"))
        fields = {"item_id": key, "uom": each["symbol"], "factor": factor}
        records.append(_row("item_uoms", told | each, changed, fields, "item_id", "uom"))
    accounts = (raw["template"]["account_category"] or {"accounts": []})["accounts"]
    for each in accounts:
        fields = {
            "item_id": key,
            "company_id": _id(each["company"]),
            "income_account": _id(each["account_revenue"]),
        }
        records.append(_row("item_accounts", told | each, changed, fields, "item_id", "company_id"))
    return records


def order(raw: Doc, doc: Doc, changed: datetime | None) -> list[SourceRecord]:
    """One sale that has a number, and its lines. When it was confirmed Tryton does not keep."""
    fields = {
        "order_id": doc["number"],
        "customer_id": str(doc["party"]),
        "currency": doc["currency"]["code"],
        "status": _ORDER_STATUS.get(doc["state"], doc["state"]),
        "ordered_at": doc["create_date"],
        "company_id": _id(doc["company"]),
        "po_no": doc["reference"] or None,
        "net_total_amount": doc["untaxed_amount"],
        "tax_total_amount": doc["tax_amount"],
        "grand_total_amount": doc["total_amount"],
    }
    records = [_row("orders", raw, changed, fields, "order_id")]
    for number, (came, line) in enumerate(_priced(raw, doc), start=1):
        key = {"order_line_id": str(line["id"]), "order_id": doc["number"]}
        build = partial(_order_line, line, number, key)
        records.append(record("order_lines", came, changed, build, key=key, order_ref=doc["number"]))
    return records


def invoice(raw: Doc, doc: Doc, changed: datetime | None) -> list[SourceRecord]:
    """One customer invoice or credit note with its lines, whoever made it."""
    status = _INVOICE_STATUS.get(doc["state"], doc["state"])
    reference, orders = doc["reference"] or "", doc["sales"]
    is_ours = reference.startswith(_KEY)
    order_no = orders[0]["number"] if len(orders) == 1 else None
    shipment_no = doc["description"].rpartition(_SHIPMENT)[2] if is_ours and doc["description"] else None
    credited = doc["origin_invoices"]
    fields = {
        "invoice_id": str(doc["id"]),
        "customer_id": str(doc["party"]),
        "currency": doc["currency"]["code"],
        "status": status,
        "company_id": _id(doc["company"]),
        "order_id": order_no,
        "shipment_id": shipment_no,
        "is_credit_note": doc["total_amount"] < 0,
        "credited_invoice_id": str(credited[0]) if len(credited) == 1 else None,
        "idempotency_key": reference.removeprefix(_KEY) if is_ours else None,
        "created_at": doc["create_date"],
        "posted_at": _of(doc["move"], "create_date") if status == "posted" else None,
        "issue_date": doc["invoice_date"],
        "net_total_amount": doc["untaxed_amount"],
        "tax_total_amount": doc["tax_amount"],
        "grand_total_amount": doc["total_amount"],
    }
    refs = {"order_ref": order_no, "shipment_ref": shipment_no}
    key = {"invoice_id": str(doc["id"])}
    records = [record("invoices", raw, changed, partial(dict, fields), key=key, **refs)]
    for came, line in _priced(raw, doc):
        own = {"invoice_line_id": str(line["id"]), **key}
        build = partial(_invoice_line, line, own)
        records.append(record("invoice_lines", came, changed, build, key=own, **refs))
    return records


def _order_line(line: Doc, number: int, key: Fields) -> Fields:
    return {**key, "line_no": number, **_amounts(line), "is_return": line["quantity"] < 0}


def _invoice_line(line: Doc, key: Fields) -> Fields:
    model, _, origin = (line["origin"] or "").partition(",")
    return {**key, "order_line_id": origin if model == "sale.line" else None, **_amounts(line)}


def _amounts(line: Doc) -> Fields:
    """What order and invoice lines have in common; one with several taxes is refused: no single rate says what is due."""
    if len(line["taxes"]) > 1 or any(each["type"] != "percentage" for each in line["taxes"]):
        raise Refused("FIELD_INVALID", "a line may have one tax in percent, this one has others")
    tax = line["taxes"][0] if line["taxes"] else None
    return {
        "item_id": _id(line["product"]),
        "quantity": Decimal(line["quantity"]),
        "uom": _of(line["unit"], "symbol"),
        "unit_price_amount": line["unit_price"],
        "net_amount": line["amount"],
        "tax_code": _of(tax, "id", str),
        "tax_rate_percent": _of(tax, "rate", _percent),
    }


def _priced(raw: Doc, doc: Doc) -> list[tuple[Doc, Doc]]:
    """Lines that are no title, comment or subtotal, each as it came and as it was read."""
    both = zip(raw["lines"], doc["lines"], strict=True)
    return [(came, line) for came, line in both if line["type"] == "line"]


def _row(resource: str, raw: Doc, changed: datetime | None, fields: Fields, *key: str) -> SourceRecord:
    named = {each: fields[each] for each in key}
    return record(resource, raw, changed, partial(dict, fields), key=named)


def _country(addresses: list[Doc]) -> str | None:
    return _of(addresses[0]["country"], "code") if addresses else None


def _of(doc: Doc | None, name: str, read: Any = None) -> Any:
    value = None if doc is None else doc[name]
    return value if read is None or value is None else read(value)


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)


def _percent(rate: Decimal) -> Decimal:
    return (rate * 100).normalize() + 0
