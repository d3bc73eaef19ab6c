"""From a released row to the document that is sent and the effect that is enqueued.

Belongs here: the invoice, and what holds for every flow. What the others are made of is ``fulfilment``, ``exception_alert``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

from activation.exception_alert import alert_of
from activation.fulfilment import confirmation_of
from contracts.exception_alert import ExceptionAlertDocument
from contracts.fulfilment import NO_CURRENCY, FulfilmentDocument
from contracts.invoice import CreditNoteDocument, InvoiceDocument, InvoiceDocumentLine
from contracts.outbound import OutboundDocument
from core.flows import BY_OPERATION, EXCEPTION_ALERT, FULFILMENT, INVOICE
from core.ids import idempotency_key, sha256_hex
from core.money import minor_units
from state import credit_notes
from state.outbox_rows import NewEffect, OutboxRow

OPERATION = INVOICE.operation
_DOCUMENTS: Mapping[str, type[OutboundDocument]] = {
    FULFILMENT.operation: FulfilmentDocument,
    INVOICE.operation: InvoiceDocument,
    credit_notes.OPERATION: CreditNoteDocument,
    EXCEPTION_ALERT.operation: ExceptionAlertDocument,
}
"""Operation → what the stored bytes of its effects are."""
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


def document_of(row: Mapping[str, Any]) -> OutboundDocument:
    """What a released row of any flow stands for; ValueError (Pydantic's) when the row is not complete."""
    return _MADE_BY[row["operation"]](row)


def invoice_of(row: Mapping[str, Any]) -> InvoiceDocument:
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


_MADE_BY: Mapping[str, Callable[[Mapping[str, Any]], OutboundDocument]] = {
    FULFILMENT.operation: confirmation_of,
    INVOICE.operation: invoice_of,
    EXCEPTION_ALERT.operation: alert_of,
}


def stored_document(row: OutboxRow) -> OutboundDocument:
    """What the stored bytes say: a confirmation, an invoice, the credit note over one, or an alert."""
    return _DOCUMENTS[row.operation].model_validate_json(row.payload)


def stored_invoice(row: OutboxRow) -> InvoiceDocument:
    """What the stored bytes of an invoice or credit note say."""
    document = stored_document(row)
    assert isinstance(document, InvoiceDocument)
    return document


def effect_of(
    row: Mapping[str, Any], document: OutboundDocument, taken: Collection[str] = (OPERATION,)
) -> NewEffect:
    """What goes into the outbox: the canonical bytes and what they stand for.

    ``taken``: the operations that the destination takes. What follows another one there takes turns with it.
    """
    payload, operation = document.canonical_bytes(), row["operation"]
    invoice = document if isinstance(document, InvoiceDocument) else None
    follows = BY_OPERATION[operation].follows
    return NewEffect(
        company=document.company_id,
        destination=row["destination"],
        operation=operation,
        business_id=document.business_id,
        revision=row["revision"],
        shipment_no=document.shipment_no,
        decision_id=row["decision_id"],
        payload=payload,
        payload_hash=sha256_hex(payload),
        content_hash=row["content_hash"],
        input_hash=row["input_hash"],
        amount=invoice.grand_total_amount if invoice else Decimal(0),
        currency=invoice.currency if invoice else NO_CURRENCY,
        charge_keys=tuple(line.charge_key for line in invoice.lines) if invoice else (),
        order_key=document.business_id if follows is None or follows in taken else None,
    )


def _exact(amount: Decimal, currency: str) -> Decimal:
    """The amount at two decimals, as the ERP shows it; anything finer than the currency is a mistake."""
    exact = amount.quantize(Decimal("0.01"))
    if exact != amount or (minor_units(currency) == 0 and exact != exact.to_integral_value()):
        raise ValueError(f"{amount} {currency} is finer than the currency allows")
    return exact
