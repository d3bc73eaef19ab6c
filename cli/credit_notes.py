"""``waybill outbox credit | approve-credit | reject-credit | credits``: the correction of a posted invoice, by four eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import emit_json, out, table
from cli.persons import Actor, Json, Reason
from core.settings import get_settings

if TYPE_CHECKING:
    from state.credit_notes import CreditNote

Named = Annotated[str, typer.Argument(help="A shipment's number, or the beginning of an idempotency key.")]


def credit(key: Named, reason: Reason, actor: Actor, json_output: Json = False) -> None:
    """Draft the credit note of a posted invoice; it waits until somebody else approves it."""
    from activation import corrections
    from state.engine import open_state
    from state.heads import signed_after
    from state.observations import business_now

    settings = get_settings()
    engine = open_state(settings)
    with signed_after(settings, engine):
        made = corrections.ask(engine, key, actor, reason, business_now(engine))
    _print(
        made,
        f"{made.shipment_no}: {made.amount} {made.currency} against {made.credited_erp_id} "
        "waits for somebody else to approve it.",
        json_output,
    )


def approve(key: Named, reason: Reason, actor: Actor, json_output: Json = False) -> None:
    """Approve a credit note that somebody else drafted; the next push posts it.

    One that Waybill drafted is looked at again first: when its cause is gone, it is taken back instead.
    """
    from orchestration.corrections import approve as approve_again
    from orchestration.platform import Platform

    _told(approve_again(Platform(get_settings()), key, actor, reason), json_output)


def reject(key: Named, reason: Reason, actor: Actor, json_output: Json = False) -> None:
    """Reject a draft; the invoice stands as it is."""
    from core.clock import utc_now
    from state import credit_notes
    from state.engine import open_state
    from state.heads import signed_after

    settings = get_settings()
    engine = open_state(settings)
    with signed_after(settings, engine):
        answered = credit_notes.answer(engine, key, "rejected", actor, reason, utc_now())
    _told(answered, json_output)


def waiting(json_output: Json = False) -> None:
    """List the credit notes that wait for an approval, and what the gate last said of each."""
    from state import credit_decisions, credit_notes
    from state.engine import open_state

    engine = open_state(get_settings())
    found, judged = credit_notes.waiting(engine), credit_decisions.standing(engine)
    codes = {key: decision.codes for key, decision in judged.items()}
    if json_output:
        emit_json([_shown(each) | {"codes": codes.get(each.idempotency_key)} for each in found])
        return
    table(
        "Credit notes that wait for an approval" if found else "No credit note waits for an approval",
        ("shipment", "invoice", "amount", "currency", "cause", "gate", "drafted by", "at", "why"),
        [
            (
                *(each.shipment_no, each.credited_erp_id, each.amount, each.currency, each.cause),
                _gate(codes.get(each.idempotency_key)),
                *(each.drafted_by, each.drafted_at, each.drafted_because),
            )
            for each in found
        ],
    )


def _gate(codes: tuple[str, ...] | None) -> str:
    if codes is None:
        return "not judged"
    return ", ".join(codes) or "passed"


def _told(answered: CreditNote, json_output: bool) -> None:
    _print(answered, f"{answered.shipment_no}: {answered.answer} by {answered.answered_by}.", json_output)


def _shown(note: CreditNote) -> dict[str, Any]:
    return {name: value for name, value in vars(note).items() if name != "payload"}


def _print(note: CreditNote, line: str, json_output: bool) -> None:
    if json_output:
        emit_json(_shown(note))
    else:
        out.print(line, markup=False)
