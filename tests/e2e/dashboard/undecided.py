"""Credit notes and refused rows that wait for a person, and beside them what waits for nobody."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from published_world import AS_OF
from sqlalchemy import Engine, update

from state import credit_notes, dead_letters, letter_decisions, outbox
from state.credit_notes import NewDraft
from state.dead_letters import DeadLetter
from state.letter_decisions import Word
from state.outbox_rows import NewEffect
from state.tables import outbox as effects

CREDITED = {"CON-00101": Decimal("1190.00"), "CON-00102": Decimal("88.50"), "CON-00103": Decimal("12.00")}
"""The last one's draft was answered."""
REFUSED = {"CURRENCY_INVALID": 12, "TIME_IN_FUTURE": 3}


def leave_undecided(engine: Engine) -> None:
    """Fill the state store."""
    for number, (shipment, amount) in enumerate(CREDITED.items()):
        invoice = _posted(engine, shipment, amount)
        note = credit_notes.key_of(outbox.of_keys(engine, [invoice.idempotency_key])[0])
        credit_notes.draft(
            engine,
            NewDraft(
                note, invoice.idempotency_key, shipment, f"ACC-SINV-2026-{number:05}", -amount, "EUR", b"{}", "p" * 64,
                "asked" if number else "voided", f"POD-{number}", "anna" if number else "gate",
                "the price was <b>wrong</b>" if number else "proof POD-0 was voided after it had been billed",
                AS_OF - timedelta(hours=number),
            ),
        )  # fmt: skip
    credit_notes.answer(engine, "CON-00103", "rejected", "boris", "it is right", AS_OF)
    letters = [_letter(reason, number) for reason, many in REFUSED.items() for number in range(many)]
    dead_letters.record(
        engine, [*letters, _letter("UNKNOWN_PARENT", 90, status="parked"), _letter("OTHER", 91)]
    )
    discarded = [each for each in dead_letters.with_status(engine, "open") if each.reason == "OTHER"]
    letter_decisions.discard(engine, discarded, Word("anna", "nobody needs it", AS_OF))


def _posted(engine: Engine, shipment: str, amount: Decimal) -> NewEffect:
    effect = NewEffect(
        "WBDE", "sandbox_erp", "invoice", shipment, 1, shipment, "d", b"{}", "p", "c", "i", amount, "EUR", ()
    )
    with engine.begin() as db:
        outbox.enqueue(db, effect, AS_OF)
        for state in ("SENDING", "ACKED"):
            db.execute(
                update(effects).where(effects.c.idempotency_key == effect.idempotency_key).values(state=state)
            )
    return effect


def _letter(reason: str, number: int, **changes: Any) -> DeadLetter:
    fields: dict[str, Any] = {
        "connection": "sandbox_erp", "kind": "erp", "resource": "orders", "source_id": f"SO-{number:05}",
        "order_ref": f"SO-{number:05}", "shipment_ref": None, "reason": reason,
        "detail": f"currency: expected a code of ISO 4217, found '<i>EURO{number}</i>'", "raw": b'{"secret": "payload"}',
        "raw_sha256": f"{number:064d}", "trace_id": "t", "run_id": "r", "status": "open",
        "received_at": AS_OF - timedelta(minutes=number),
    }  # fmt: skip
    return DeadLetter(**(fields | changes))
