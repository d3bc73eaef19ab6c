"""An invoice of two lines, the credit note over it, and what the state store is told of both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, update

from contracts.invoice import CreditNoteDocument, InvoiceDocument, InvoiceDocumentLine
from core.ids import idempotency_key, sha256_hex
from state import attempts, outbox
from state.attempts import Receipt
from state.credit_notes import NewDraft
from state.outbox_rows import NewEffect
from state.tables import outbox as effects

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
ERP_ID = "SINV-1"
KEY = idempotency_key("WBDE", "erp", "invoice", "b", 1)
NOTE_KEY = idempotency_key("WBDE", "erp", "credit_note", "b", 1)


def line(number: int, quantity: str, net: str, **changes: Any) -> InvoiceDocumentLine:
    fields: dict[str, Any] = {
        "line_id": f"L{number}", "charge_key": f"S-1|L{number}|goods|1", "order_line_id": f"L{number}", "item_id": "X",
        "quantity": Decimal(quantity), "uom": "EA", "net_price": Decimal("10.00"), "net_amount": Decimal(net),
        "tax_code": "DE19", "tax_rate_percent": Decimal(19), "income_account": None,
    }  # fmt: skip
    return InvoiceDocumentLine(**(fields | changes))


def invoice(**changes: Any) -> InvoiceDocument:
    """30.00 net, 5.70 tax."""
    fields: dict[str, Any] = {
        "idempotency_key": KEY, "business_id": "b", "shipment_no": "S-1", "order_no": "O-1", "company_id": "WBDE",
        "customer_id": "C-1", "po_no": None, "currency": "EUR", "issue_date": date(2026, 11, 13),
        "delivery_date": date(2026, 11, 12), "pod_id": "POD-1", "payment_terms": None,
        "net_total_amount": Decimal("30.00"), "tax_total_amount": Decimal("5.70"),
        "grand_total_amount": Decimal("35.70"), "lines": (line(1, "2", "20.00"), line(2, "1", "10.00")),
    }  # fmt: skip
    return InvoiceDocument(**(fields | changes))


def note(of: InvoiceDocument | None = None, **changes: Any) -> CreditNoteDocument:
    """The whole invoice with its sign turned."""
    whole = of or invoice()
    turned = {
        "idempotency_key": NOTE_KEY,
        "net_total_amount": -whole.net_total_amount,
        "tax_total_amount": -whole.tax_total_amount,
        "grand_total_amount": -whole.grand_total_amount,
        "lines": tuple(
            each.model_copy(update={"quantity": -each.quantity, "net_amount": -each.net_amount})
            for each in whole.lines
        ),
        "credited_erp_id": ERP_ID,
        "credited_key": whole.idempotency_key,
        "reason": "proof POD-1 was voided after it had been billed",
    }
    return CreditNoteDocument(
        **({name: getattr(whole, name) for name in InvoiceDocument.model_fields} | turned | changes)
    )


def effect(document: InvoiceDocument | None = None, **changes: Any) -> NewEffect:
    """What goes into the outbox of an invoice, or of the note over it."""
    sent = document or invoice()
    payload = sent.canonical_bytes()
    is_note = isinstance(sent, CreditNoteDocument)
    fields: dict[str, Any] = {
        "company": "WBDE", "destination": "erp", "operation": "credit_note" if is_note else "invoice", "business_id": "b",
        "revision": 1, "shipment_no": "S-1", "decision_id": "d", "payload": payload, "payload_hash": sha256_hex(payload),
        "content_hash": "c", "input_hash": "i", "amount": sent.grand_total_amount, "currency": sent.currency,
        "charge_keys": () if is_note else ("S-1|1|goods|1",),
    }  # fmt: skip
    return NewEffect(**(fields | changes))


def draft_of(document: CreditNoteDocument | None = None, **changes: Any) -> NewDraft:
    """The draft of a credit note."""
    sent = document or note()
    payload = sent.canonical_bytes()
    fields: dict[str, Any] = {
        "idempotency_key": NOTE_KEY, "invoice_key": KEY, "shipment_no": "S-1", "credited_erp_id": ERP_ID,
        "amount": sent.grand_total_amount, "currency": sent.currency, "payload": payload,
        "payload_hash": sha256_hex(payload), "cause": "voided", "cause_key": "POD-1|x", "drafted_by": "gate",
        "drafted_because": "voided", "drafted_at": NOW,
    }  # fmt: skip
    return NewDraft(**(fields | changes))


def bring(engine: Engine, key: str, *states: str) -> None:
    """Move a row of the outbox along these states."""
    with engine.begin() as db:
        for state in states:
            db.execute(update(effects).where(effects.c.idempotency_key == key).values(state=state))


def post(
    engine: Engine,
    document: InvoiceDocument | None = None,
    states: Sequence[str] = ("SENDING", "ACKED"),
    erp_id: str = ERP_ID,
    **changes: Any,
) -> NewEffect:
    """An invoice in the outbox that the ERP was read to hold."""
    sent, new = document or invoice(), effect(document, **changes)
    with engine.begin() as db:
        outbox.enqueue(db, new, NOW)
        attempts.keep_receipts(db, [receipt(sent, new, erp_id)])
    bring(engine, new.idempotency_key, *states)
    return new


def receipt(document: InvoiceDocument, new: NewEffect, erp_id: str) -> Receipt:
    """What the ERP was read to hold."""
    return Receipt(
        idempotency_key=new.idempotency_key, destination=new.destination, company=new.company,
        business_id=new.business_id, revision=new.revision, shipment_no=new.shipment_no, erp_id=erp_id,
        customer_id=document.customer_id, order_no=document.order_no, currency=document.currency,
        net_total_amount=document.net_total_amount, tax_total_amount=document.tax_total_amount,
        grand_total_amount=document.grand_total_amount, issue_date=document.issue_date, posted_at=NOW, read_back_at=NOW,
    )  # fmt: skip
