"""What has to be credited, and the credit note over it: drafts only, nothing is sent and nothing released from here.

A proof that was voided, or replaced by one with other quantities, after its invoice was posted makes a draft by itself;
for any other reason a person asks for one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from activation.document import stored_invoice
from contracts.invoice import CreditNoteDocument, InvoiceDocument
from core.errors import PermanentFailure
from state import attempts, credit_notes, outbox_rows
from state.credit_notes import Cause, CreditNote, NewDraft
from state.credit_rules import POSTED
from state.engine import reading
from state.outbox_rows import OutboxRow
from state.tables import outbox

MAKER = "gate"
"""In whose name a draft is made that nobody asked for."""
_IS_POSTED = (outbox.c.operation == "invoice", outbox.c.state.in_(POSTED))


@dataclass(frozen=True)
class Finding:
    """Why a posted invoice has to be credited. ``key`` names the event: read again, it is the same."""

    cause: Cause
    key: str
    why: str


def judge(
    document: InvoiceDocument, candidate: Mapping[str, Any] | None, proof: Mapping[str, Any] | None
) -> Finding | None:
    """What became of the proof that a posted invoice rests on; None when nothing is to be credited.

    ``candidate`` has the columns of ``invoice_candidates``, ``proof`` those of ``canonical_proofs_of_delivery`` for the
    proof that the invoice names. What is not known (no proof read, amounts not computed) is no finding.
    """
    if candidate is not None and candidate["pod_id"] is not None:
        live = candidate["pod_id"]
        if candidate["grand_total_amount"] is None or _quantities(document) == _billed_now(candidate):
            return None
        why = f"proof {live} says other quantities than {document.pod_id}, which was billed"
        return Finding("superseded", f"{live}|{candidate['content_hash']}", why)
    if proof is None or proof["voided_at"] is None:
        return None
    voided = proof["voided_at"]
    why = f"proof {document.pod_id} was voided after it had been billed"
    return Finding("voided", f"{document.pod_id}|{voided.isoformat()}", why)


def draft_corrections(
    engine: Engine,
    candidates: Mapping[str, Mapping[str, Any]],
    proofs: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> list[CreditNote]:
    """Draft what the proofs of posted invoices call for, take back what they no longer do; the new drafts.

    ``candidates`` by business id, ``proofs`` by proof id; ``now`` is business time, whose day the notes bear.
    """
    made = []
    found: dict[str, Finding] = {}
    receipts = attempts.all_receipts(engine)
    for row in _posted(engine, _changed(engine, candidates)):
        document = stored_invoice(row)
        finding = judge(document, candidates.get(row.business_id), proofs.get(document.pod_id))
        if finding is not None:
            found[row.idempotency_key] = finding
            new = _draft(row, receipts[row.idempotency_key], finding, MAKER, now)
            made.append(credit_notes.draft(engine, new))
    _withdraw(engine, found, now)
    return [each for each in made if each is not None]


def confirm(
    engine: Engine,
    note: CreditNote,
    candidate: Mapping[str, Any] | None,
    proof: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    """Look again at what a draft was made for, with the rows of today as ``judge`` takes them.

    PermanentFailure when that is gone, and the draft is taken back; also, and it waits on, when nobody can tell, when its gate
    blocks it, or when its invoice no longer stands as posted.
    What a person asked for stands on that person's word.
    """
    credit_notes.refuse_blocked(engine, note.idempotency_key, now)
    if note.cause == "asked":
        return
    if candidate is None and proof is None:
        raise PermanentFailure(
            f"Nobody can tell now whether the proof of {note.shipment_no} is still {note.cause}: neither it nor the shipment is "
            "in the warehouse.",
            remedy="`waybill run`, then answer again.",
        )
    invoice = next(_posted(engine, [note.invoice_key]), None)
    if invoice is None:
        raise PermanentFailure(
            f"The invoice {note.credited_erp_id} of {note.shipment_no} no longer stands as posted: a look into the ERP found "
            "something else meanwhile.",
            remedy="Settle what `waybill reconcile` lists, then answer again.",
        )
    finding = judge(stored_invoice(invoice), candidate, proof)
    if finding is None or finding.key != note.cause_key:
        with engine.begin() as db:
            credit_notes.withdraw(db, note, "its cause was gone when it was to be approved", now)
        instead = "" if finding is None else f" Something else is: {finding.why}."
        raise PermanentFailure(
            f"What {note.shipment_no} was to be credited for is so no longer ({note.drafted_because}).{instead} "
            "The draft was taken back.",
            remedy="`waybill run` drafts what has to be credited now, if anything has.",
        )


def ask(engine: Engine, named: str, actor: str, reason: str, now: datetime) -> CreditNote:
    """Draft the credit note of a posted invoice because a person wants it corrected.

    PermanentFailure when no single posted invoice is called so, or when it is credited or drafted already.
    """
    with reading(engine) as db:
        posted = outbox_rows.entries(db, *_IS_POSTED)
    found = [
        each
        for each in posted
        if named == each.shipment_no or (len(named) >= 6 and each.idempotency_key.startswith(named))
    ]
    newest = [each for each in found if each.revision == max(other.revision for other in found)]
    if len(newest) != 1:
        raise PermanentFailure(
            f"{len(newest)} posted invoices are called {named!r}.",
            remedy="`waybill outbox list --state ACKED` prints shipments and keys; the beginning of a key is enough.",
        )
    (row,) = _posted(engine, [newest[0].idempotency_key])
    erp_id = attempts.all_receipts(engine)[row.idempotency_key]
    made = credit_notes.draft(engine, _draft(row, erp_id, Finding("asked", "", reason), actor, now))
    assert made is not None
    return made


def credit_note_of(
    document: InvoiceDocument, key: str, erp_id: str, day: date, reason: str
) -> CreditNoteDocument:
    """The invoice with every sign turned, under the credit note's own key."""
    lines = tuple(
        line.model_copy(update={"quantity": -line.quantity, "net_amount": -line.net_amount})
        for line in document.lines
    )
    same = {name: getattr(document, name) for name in InvoiceDocument.model_fields}
    turned = {
        "idempotency_key": key,
        "issue_date": day,
        "net_total_amount": -document.net_total_amount,
        "tax_total_amount": -document.tax_total_amount,
        "grand_total_amount": -document.grand_total_amount,
        "lines": lines,
    }
    told = {"credited_erp_id": erp_id, "credited_key": document.idempotency_key, "reason": reason}
    return CreditNoteDocument(**(same | turned | told))


def _changed(engine: Engine, candidates: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Keys of posted invoices that are not what would be billed today, on a live proof: only their bytes are read."""
    with reading(engine) as db:
        found = outbox_rows.entries(db, *_IS_POSTED)
    return [
        each.idempotency_key
        for each in found
        if (now := candidates.get(each.business_id)) is None
        or now["pod_id"] is None
        or now["content_hash"] != each.content_hash
    ]


def _posted(engine: Engine, keys: Sequence[str]) -> Iterator[OutboxRow]:
    for key in keys:
        with reading(engine) as db:
            found = outbox_rows.rows(db, *_IS_POSTED, outbox.c.idempotency_key == key)
        yield from found


def _draft(row: OutboxRow, erp_id: str, finding: Finding, actor: str, now: datetime) -> NewDraft:
    key = credit_notes.key_of(row)
    note = credit_note_of(stored_invoice(row), key, erp_id, now.date(), finding.why)
    return NewDraft(
        idempotency_key=key,
        invoice_key=row.idempotency_key,
        shipment_no=row.shipment_no,
        credited_erp_id=erp_id,
        amount=note.grand_total_amount,
        currency=note.currency,
        payload=note.canonical_bytes(),
        payload_hash=note.payload_hash(),
        cause=finding.cause,
        cause_key=finding.key,
        drafted_by=actor,
        drafted_because=finding.why,
        drafted_at=now,
    )


def _withdraw(engine: Engine, found: Mapping[str, Finding], now: datetime) -> None:
    """Take back what Waybill drafted for a cause that is there no longer: the proof was delivered again, and equal."""
    for note in credit_notes.waiting(engine):
        finding = found.get(note.invoice_key)
        if note.cause == "asked" or (finding is not None and finding.key == note.cause_key):
            continue
        with engine.begin() as db:
            credit_notes.withdraw(db, note, "its cause is gone", now)


def _quantities(document: InvoiceDocument) -> dict[str, tuple[Decimal, str]]:
    return {line.line_id: (line.quantity, line.uom) for line in document.lines}


def _billed_now(candidate: Mapping[str, Any]) -> dict[str, tuple[Decimal, str]]:
    lines = json.loads(candidate["lines_json"])
    return {each["line_id"]: (Decimal(each["quantity"]), each["uom"]) for each in lines}
