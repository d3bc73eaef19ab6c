"""Credit notes from draft to approval, and what a posted one sets free.

A draft passes the gate of credit notes and waits for a second person's word; only a granted one that passes again goes into
the outbox, with the very bytes that were looked at. Belongs here: keeping, answering, and what the outbox asks. What has to
be credited is ``activation.corrections``, what a note is judged by ``credit_rules``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from core.errors import ConfigurationError, PermanentFailure
from core.ids import idempotency_key
from state import credit_decisions, ledger, outbox, outbox_rows
from state.credit_decisions import CreditDecision, Step
from state.credit_rules import POSTED
from state.engine import reading
from state.outbox_moves import few
from state.outbox_rows import NewEffect, OutboxEntry
from state.people import is_same
from state.tables import charge_lines
from state.tables import outbox as effects
from state.tables_of_people import credit_notes as table
from state.transitions import REPLACEABLE

OPERATION: Final = "credit_note"
_OVER: Final = (*POSTED, "CANCELLED")
Answer = Literal["granted", "rejected"]
Cause = Literal["voided", "superseded", "asked"]


@dataclass(frozen=True)
class NewDraft:
    """What would be credited and why. ``cause_key`` names the very event: the same one makes no second draft."""

    idempotency_key: str
    invoice_key: str
    shipment_no: str
    credited_erp_id: str
    amount: Decimal
    currency: str
    payload: bytes
    payload_hash: str
    cause: Cause
    cause_key: str
    drafted_by: str
    drafted_because: str
    drafted_at: datetime


@dataclass(frozen=True)
class CreditNote(NewDraft):
    """A draft and what became of it. ``amount`` is negative."""

    credit_note_id: int
    answer: Answer | Literal["withdrawn"] | None
    answered_by: str | None
    answered_because: str | None
    answered_at: datetime | None


def key_of(row: OutboxEntry, operation: str = OPERATION, revision: int | None = None) -> str:
    """The idempotency key of an effect's counterpart: of an invoice its credit note, and the other way round."""
    wanted = row.revision if revision is None else revision
    return idempotency_key(row.company, row.destination, operation, row.business_id, wanted)


def draft(engine: Engine, new: NewDraft) -> CreditNote | None:
    """Judge a draft and keep it. None when Waybill itself drafted this before, or a draft or note is there already.

    PermanentFailure when a person asks for what is drafted or credited already, when the invoice is not posted, or when the
    gate blocks what they ask for: nothing is written then but the decision. What Waybill drafts is kept also when it is
    blocked: it waits, with its reasons, for somebody who mends or rejects it.
    """
    with engine.begin() as db:
        why = _why_not(db, new)
        if why is not None and new.cause != "asked":
            return None
        if why is not None:
            raise PermanentFailure(why, remedy="`waybill outbox credits` lists what waits for an answer.")
        decision = _decided(db, new, "draft", new.drafted_at)
        if decision.verdict == "released" or new.cause != "asked":
            db.execute(insert(table).values(**vars(new)))
            told = {"cause": new.cause, "of": new.credited_erp_id, "reason": new.drafted_because}
            ledger.append(db, "credit_drafted", new.drafted_by, new.idempotency_key, told)
            return _found(db, table.c.idempotency_key == new.idempotency_key, table.c.answer.is_(None))[-1]
    raise _refused(decision)


def answer(engine: Engine, named: str, given: Answer, actor: str, reason: str, now: datetime) -> CreditNote:
    """Grant or reject a draft; a granted one lies in the outbox from then on, and the next push posts it.

    PermanentFailure, with nothing written, unless exactly one draft is called so, when the one who drafted it comes
    again, or when the outbox holds another note under its key. One that the gate blocks is not granted: it waits on, and the
    decision is kept.
    """
    if given == "granted":
        refuse_blocked(engine, named, now)
    with engine.begin() as db:
        asked = _one(db, named)
        if is_same(asked.drafted_by, actor):
            raise PermanentFailure(
                f"{actor} drafted the credit note of {asked.shipment_no} and cannot answer it.",
                remedy="Somebody else answers it under their own name.",
            )
        answered = _close(db, asked, given, actor, reason, now)
        if given == "granted":
            decision, invoice = _decided(db, asked, "approval", now), _entry(db, asked.invoice_key)
            if decision.verdict != "released" or invoice is None:
                raise _refused(decision)
            if outbox.enqueue(db, _effect(asked, invoice), now) == "changed":
                raise PermanentFailure(
                    f"Another credit note of {asked.shipment_no} is on its way.",
                    remedy="`waybill outbox list` shows it; decide about that one first.",
                )
        return answered


def withdraw(db: Connection, note: CreditNote, reason: str, now: datetime) -> None:
    """Take a draft back whose cause is gone, in the name of its maker."""
    _close(db, note, "withdrawn", note.drafted_by, reason, now)


def waiting(engine: Engine) -> list[CreditNote]:
    """What waits for an answer, oldest first."""
    with reading(engine) as db:
        return _found(db, table.c.answer.is_(None))


def named(engine: Engine, name: str) -> CreditNote:
    """The one draft that is called so; PermanentFailure unless there is exactly one."""
    with reading(engine) as db:
        return _one(db, name)


def on_their_way(engine: Engine, destination: str) -> list[str]:
    """The keys of credit notes that were approved and are not posted."""
    # Of the many rows there only those few are looked at that somebody approved.
    granted = select(table.c.idempotency_key).where(table.c.answer == "granted").distinct()
    with reading(engine) as db:
        notes = [
            each
            for some in few(db.scalars(granted))
            for each in outbox_rows.entries(db, effects.c.idempotency_key.in_(some))
        ]
    notes.sort(key=lambda each: each.outbox_id)
    open_ = (each for each in notes if each.destination == destination and each.state not in _OVER)
    return [each.idempotency_key for each in open_]


def refuse_blocked(engine: Engine, name: str, now: datetime) -> None:
    """Judge the one draft that is called so and keep the decision; PermanentFailure with every reason when it is blocked."""
    with engine.begin() as db:
        decision = _decided(db, _one(db, name), "approval", now)
    if decision.verdict != "released":
        raise _refused(decision)


def why_blocked(db: Connection, row: OutboxEntry, now: datetime, *, kept: bool) -> str | None:
    """What forbids to send this credit note now; None when nothing does. ``kept``: the decision is, because it is about to be sent.

    Rules that cannot be read forbid it: invoices that are sent beside it go on.
    """
    same = (table.c.idempotency_key == row.idempotency_key, table.c.payload_hash == row.payload_hash)
    granted = _found(db, *same, table.c.answer == "granted")
    if not granted:
        return "nobody approved this credit note"
    try:
        decision = credit_decisions.decide(db, granted[-1], "sending", now)
    except ConfigurationError as error:
        return str(error)
    if kept:
        credit_decisions.keep(db, decision)
    return None if decision.verdict == "released" else credit_decisions.told(decision.reasons)


def set_free(db: Connection, row: OutboxEntry) -> None:
    """Let go of the charge lines of the invoice that this credit note, posted now, reverses."""
    db.execute(delete(charge_lines).where(charge_lines.c.idempotency_key == key_of(row, "invoice")))


def _decided(db: Connection, note: CreditNote | NewDraft, step: Step, now: datetime) -> CreditDecision:
    decision = credit_decisions.decide(db, note, step, now)
    credit_decisions.keep(db, decision)
    return decision


def _refused(decision: CreditDecision) -> PermanentFailure:
    return PermanentFailure(
        f"The credit note of {decision.shipment_no} is blocked. {credit_decisions.told(decision.reasons)}",
        remedy=f"Mend each of {', '.join(decision.codes)}; `waybill gate explain {decision.shipment_no}` prints them again.",
    )


def _why_not(db: Connection, new: NewDraft) -> str | None:
    own = _found(db, table.c.idempotency_key == new.idempotency_key)
    if any(each.answer is None for each in own):
        return f"A credit note of {new.shipment_no} waits for an answer already."
    seen = [each for each in own if each.cause_key == new.cause_key and each.answer != "withdrawn"]
    if seen and new.cause != "asked":
        return f"{new.cause_key} was answered before."
    note, invoice = _entry(db, new.idempotency_key), _entry(db, new.invoice_key)
    if note is not None and (note.may_exist or note.state not in REPLACEABLE):
        return f"The credit note of {new.shipment_no} is {note.state}."
    if invoice is None or invoice.state not in POSTED:
        return f"The invoice of {new.shipment_no} is not posted: there is nothing to credit."
    return None


def _one(db: Connection, named: str) -> CreditNote:
    found = [
        each
        for each in _found(db, table.c.answer.is_(None))
        if named == each.shipment_no or (len(named) >= 6 and each.idempotency_key.startswith(named))
    ]
    if len(found) != 1:
        raise PermanentFailure(
            f"{len(found)} drafts of credit notes are called {named!r}.",
            remedy="`waybill outbox credits` lists them with their keys.",
        )
    return found[0]


def _close(
    db: Connection, note: CreditNote, given: str, actor: str, reason: str, now: datetime
) -> CreditNote:
    answered = {"answer": given, "answered_by": actor, "answered_because": reason, "answered_at": now}
    same = table.c.credit_note_id == note.credit_note_id
    db.execute(update(table).where(same).values(**answered))
    told = {"drafted_by": note.drafted_by, "payload": note.payload_hash, "reason": reason}
    ledger.append(db, f"credit_{given}", actor, note.idempotency_key, told)
    return _found(db, same)[0]


def _effect(note: CreditNote, invoice: OutboxEntry) -> NewEffect:
    return NewEffect(
        company=invoice.company,
        destination=invoice.destination,
        operation=OPERATION,
        business_id=invoice.business_id,
        revision=invoice.revision,
        shipment_no=invoice.shipment_no,
        decision_id=invoice.decision_id,
        payload=note.payload,
        payload_hash=note.payload_hash,
        content_hash=note.payload_hash,
        input_hash=note.payload_hash,
        amount=note.amount,
        currency=note.currency,
        charge_keys=(),
    )


def _entry(db: Connection, key: str) -> OutboxEntry | None:
    found = outbox_rows.entries(db, effects.c.idempotency_key == key)
    return found[0] if found else None


def _found(db: Connection, *where: Any) -> list[CreditNote]:
    return [_note(row) for row in db.execute(select(table).where(*where).order_by(table.c.credit_note_id))]


def _note(row: Row[Any]) -> CreditNote:
    return CreditNote(**{each.name: getattr(row, each.name) for each in fields(CreditNote)})
