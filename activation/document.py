"""From a row of ``outbound_erp__invoices`` to the document that is sent and the effect that is enqueued."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from contracts.invoice import CreditNoteDocument, InvoiceDocument, InvoiceDocumentLine
from core.ids import idempotency_key, sha256_hex
from core.money import minor_units
from state import credit_notes
from state.outbox_rows import NewEffect, OutboxRow

OPERATION = "invoice"
FIELD_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "idempotency_key": ("company_id", "destination", "business_id", "revision"),
    "business_id": ("business_id",),
    "shipment_no": ("shipment_no",),
    "order_no": ("order_no",),
    "company_id": ("company_id",),
    "customer_id": ("customer_id",),
    "po_no": ("po_no",),
    "currency": ("currency",),
    "issue_date": ("posting_date",),
    "delivery_date": ("delivery_date",),
    "pod_id": ("pod_id",),
    "payment_terms": ("payment_terms",),
    "net_total_amount": ("net_total_amount",),
    "tax_total_amount": ("tax_total_amount",),
    "grand_total_amount": ("grand_total_amount",),
    "lines": ("lines_json",),
}
"""Field of the document → the columns of the row that it is made of."""


def document_of(row: Mapping[str, Any]) -> InvoiceDocument:
    """The invoice a released row stands for; ValueError (Pydantic's) when the row is not complete."""
    currency = row["currency"]
    return InvoiceDocument(
        idempotency_key=idempotency_key(
            row["company_id"], row["destination"], OPERATION, row["business_id"], row["revision"]
        ),
        business_id=row["business_id"],
        shipment_no=row["shipment_no"],
        order_no=row["order_no"],
        company_id=row["company_id"],
        customer_id=row["customer_id"],
        po_no=row["po_no"],
        currency=currency,
        issue_date=row["posting_date"],
        delivery_date=row["delivery_date"],
        pod_id=row["pod_id"],
        payment_terms=row["payment_terms"],
        net_total_amount=_exact(row["net_total_amount"], currency),
        tax_total_amount=_exact(row["tax_total_amount"], currency),
        grand_total_amount=_exact(row["grand_total_amount"], currency),
        lines=tuple(InvoiceDocumentLine.model_validate(each) for each in json.loads(row["lines_json"])),
    )


def stored_document(row: OutboxRow) -> InvoiceDocument:
    """What the stored bytes say: an invoice, or the credit note over one."""
    kind = CreditNoteDocument if row.operation == credit_notes.OPERATION else InvoiceDocument
    return kind.model_validate_json(row.payload)


def effect_of(row: Mapping[str, Any], document: InvoiceDocument) -> NewEffect:
    """What goes into the outbox: the canonical bytes and what they stand for."""
    payload = document.canonical_bytes()
    return NewEffect(
        company=document.company_id,
        destination=row["destination"],
        operation=OPERATION,
        business_id=document.business_id,
        revision=row["revision"],
        shipment_no=document.shipment_no,
        decision_id=row["decision_id"],
        payload=payload,
        payload_hash=sha256_hex(payload),
        content_hash=row["content_hash"],
        input_hash=row["input_hash"],
        amount=document.grand_total_amount,
        currency=document.currency,
        charge_keys=tuple(line.charge_key for line in document.lines),
    )


def _exact(amount: Decimal, currency: str) -> Decimal:
    """The amount at two decimals, as the ERP shows it; anything finer than the currency is a mistake."""
    exact = amount.quantize(Decimal("0.01"))
    if exact != amount or (minor_units(currency) == 0 and exact != exact.to_integral_value()):
        raise ValueError(f"{amount} {currency} is finer than the currency allows")
    return exact
