"""An invoice or credit note as the values of a new record of Tryton's ``account.invoice``.

Belongs here: names and shapes of fields. Nothing is asked for: what Tryton knows comes in as ``Known``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from activation.destinations.base import RefusedError
from contracts.invoice import InvoiceDocument, InvoiceDocumentLine
from core.money import round_amount
from core.tryton import encoded

PREFIX = "waybill:"
"""Before the key in a reference: tells Waybill's from those that people write, which may repeat."""


@dataclass(frozen=True)
class Known:
    """What Tryton says of the names in a document.

    ``defaults``: what its form fills in for the customer (account, address, journal, terms). ``units`` by symbol.
    ``taxes`` by id. ``credited``: lines of the invoice that a credit note reverses.
    """

    defaults: Mapping[str, Any]
    currency: int
    units: Mapping[str, int]
    taxes: Mapping[int, Mapping[str, Any]]
    credited: Sequence[int]


def record_id(text: str, what: str) -> int:
    """The record id in a text; RefusedError when it is none."""
    if not text.isascii() or not text.isdigit():
        raise RefusedError(
            f"{text!r} is no record id of Tryton's, and {what} is named by one.",
            remedy="Let orders and masters of this company come from its Tryton connection.",
        )
    return int(text)


def values_of(document: InvoiceDocument, known: Known) -> dict[str, Any]:
    """The values of the record, lines and taxes in it."""
    company = record_id(document.company_id, "company")
    defaults = {
        name: known.defaults.get(name)
        for name in ("account", "invoice_address", "journal", "payment_term", "party_tax_identifier")
    }
    if document.payment_terms:
        defaults["payment_term"] = record_id(document.payment_terms, "terms of payment")
    told = ["order " + document.order_no]
    told += ["your order " + document.po_no] if document.po_no else []
    # Last: the source reads the shipment back from here.
    told += ["shipment " + document.shipment_no]
    return {
        **defaults,
        "type": "out",
        "company": company,
        "party": record_id(document.customer_id, "customer"),
        "currency": known.currency,
        "invoice_date": encoded(document.issue_date),
        "reference": PREFIX + document.idempotency_key,
        "description": ", ".join(told),
        "comment": f"Proof of delivery {document.pod_id}",
        "lines": [["create", [_line(document, number, known) for number in range(len(document.lines))]]],
        **_taxes(document, known),
    }


def _line(document: InvoiceDocument, number: int, known: Known) -> dict[str, Any]:
    line = document.lines[number]
    if line.income_account is None:
        raise RefusedError(
            f"{document.shipment_no}: line {line.line_id} has no revenue account.",
            remedy="Give the product an account category with a revenue account in Tryton.",
        )
    return {
        "type": "line",
        "sequence": number,
        "company": record_id(document.company_id, "company"),
        "currency": known.currency,
        "product": record_id(line.item_id, "product"),
        # Tryton keeps quantities as floats.
        "quantity": float(line.quantity),
        "unit": known.units[line.uom],
        "unit_price": encoded(line.net_price),
        "account": record_id(line.income_account, "account"),
        "taxes": [["add", [record_id(line.tax_code, "tax")] if line.tax_code else []]],
        "origin": _origin(line, number, known),
    }


def _origin(line: InvoiceDocumentLine, number: int, known: Known) -> str | None:
    """What the line bills: Tryton counts it as invoiced, and a credit note's as credited."""
    if known.credited:
        return f"account.invoice.line,{known.credited[number]}"
    return f"sale.line,{record_id(line.order_line_id, 'order line')}" if line.order_line_id else None


def _taxes(document: InvoiceDocument, known: Known) -> dict[str, Any]:
    """The tax rows at the amounts that were released: Tryton would round halves to the even cent.

    Left to Tryton where the rates say another total than the document; comparing tells the difference then.
    """
    nets: defaultdict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    for line in document.lines:
        if line.tax_code and line.tax_rate_percent is not None:
            nets[line.tax_code, line.tax_rate_percent] += line.net_amount
    amounts = {key: round_amount(net * key[1] / 100, document.currency) for key, net in nets.items()}
    if not amounts or sum(amounts.values()) != document.tax_total_amount:
        return {}
    rows = []
    for key, net in nets.items():
        tax = known.taxes[record_id(key[0], "tax")]
        rows.append(
            {
                "tax": tax["id"],
                "account": tax["invoice_account" if net >= 0 else "credit_note_account"],
                "description": tax["description"],
                "base": encoded(net),
                "amount": encoded(amounts[key]),
                "manual": False,
            }
        )
    return {"taxes": [["create", rows]]}
