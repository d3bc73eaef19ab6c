"""Requests, credit notes and refused rows that wait for a person, and beside them what waits for nobody."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from published_world import AS_OF
from sqlalchemy import Engine

from core.ids import canonical_json, idempotency_key
from state import credit_notes, dead_letters, kill_switch, letter_decisions, rulesets
from state.dead_letters import DeadLetter
from state.kill_switch import Scope
from state.letter_decisions import Word
from state.rulesets import Ruleset
from tests.support.credit_documents import draft_of, invoice, note, post

CREDITED = {"CON-00101": Decimal("1190.00"), "CON-00102": Decimal("88.50"), "CON-00103": Decimal("12.00")}
"""The last one's draft was answered."""
REFUSED = {"CURRENCY_INVALID": 12, "TIME_IN_FUTURE": 3}

OTHER_RULES = Ruleset(
    "flows",
    "2026-12.1",
    canonical_json({"policy": {"limits": {"EUR": 75000}}, "rules": [{"code": "X", "disposition": "WARN"}]}),
)


def leave_undecided(engine: Engine) -> None:
    """Fill the state store."""
    for number, (shipment, amount) in enumerate(CREDITED.items()):
        erp_id, total = f"ACC-SINV-2026-{number:05}", {"grand_total_amount": amount}
        same = {
            "idempotency_key": idempotency_key("WBDE", "sandbox_erp", "invoice", shipment, 1),
            "business_id": shipment,
        }
        billed = invoice(**same, shipment_no=shipment, **total)
        post(
            engine,
            billed,
            erp_id=erp_id,
            destination="sandbox_erp",
            business_id=shipment,
            shipment_no=shipment,
            charge_keys=(),
        )
        of_it = idempotency_key("WBDE", "sandbox_erp", "credit_note", shipment, 1)
        draft = draft_of(
            note(billed, idempotency_key=of_it, credited_erp_id=erp_id),
            idempotency_key=of_it,
            invoice_key=billed.idempotency_key,
            shipment_no=shipment,
            credited_erp_id=erp_id,
            cause="asked" if number else "voided",
            cause_key=f"POD-{number}",
            drafted_by="anna" if number else "gate",
            drafted_because="the price was <b>wrong</b>"
            if number
            else "proof POD-0 was voided after it had been billed",
            drafted_at=AS_OF - timedelta(hours=number),
        )
        credit_notes.draft(engine, draft)
    credit_notes.answer(engine, "CON-00103", "rejected", "boris", "it is right", AS_OF)
    letters = [_letter(reason, number) for reason, many in REFUSED.items() for number in range(many)]
    dead_letters.record(
        engine, [*letters, _letter("UNKNOWN_PARENT", 90, status="parked"), _letter("OTHER", 91)]
    )
    discarded = [each for each in dead_letters.with_status(engine, "open") if each.reason == "OTHER"]
    letter_decisions.discard(engine, discarded, Word("anna", "nobody needs it", AS_OF))
    ask(engine)


def ask(engine: Engine) -> None:
    """A change of the rules, and a switch whose release is asked for; another one that stays pulled asks nobody."""
    rulesets.propose(engine, OTHER_RULES, "anna", "agreed with <b>sales</b>", AS_OF)
    for scope in (Scope("destination", "sandbox_erp"), Scope("company", "WBAT")):
        kill_switch.pull(engine, scope, "anna", "wrong prices", AS_OF)
    kill_switch.release(engine, Scope("company", "WBAT"), "anna", "mended", AS_OF)


def _letter(reason: str, number: int, **changes: Any) -> DeadLetter:
    fields: dict[str, Any] = {
        "connection": "sandbox_erp", "kind": "erp", "resource": "orders", "source_id": f"SO-{number:05}",
        "order_ref": f"SO-{number:05}", "shipment_ref": None, "reason": reason,
        "detail": f"currency: expected a code of ISO 4217, found '<i>EURO{number}</i>'", "raw": b'{"secret": "payload"}',
        "raw_sha256": f"{number:064d}", "trace_id": "t", "run_id": "r", "status": "open",
        "received_at": AS_OF - timedelta(minutes=number),
    }  # fmt: skip
    return DeadLetter(**(fields | changes))
