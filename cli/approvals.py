"""``waybill gate ask | approve | reject | approvals``: four eyes on what a rule does not let pass by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import emit_json, out, table
from cli.persons import Actor, Json, Reason
from core.errors import WaybillError
from core.settings import get_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from state.approvals import Answer, Approval
    from state.decisions import Key

Shipment = Annotated[
    str, typer.Argument(help="A shipment's number, or what the invoice bills (business_id).")
]


def ask(key: Shipment, reason: Reason, actor: Actor, json_output: Json = False) -> None:
    """Ask a second person to approve an invoice that only rules of approval hold."""
    from core.clock import utc_now
    from state import approvals
    from state.engine import open_state
    from state.heads import signed_after

    settings = get_settings()
    engine = open_state(settings)
    with signed_after(settings, engine):
        asked = approvals.ask(engine, _key(engine, key), actor, reason, utc_now())
    _print(
        asked,
        f"{asked.shipment_no} waits for somebody else to approve {', '.join(asked.codes)}.",
        json_output,
    )


def approve(key: Shipment, reason: Reason, actor: Actor, json_output: Json = False) -> None:
    """Approve what another person asked for; the next run releases it if nothing has changed by then."""
    _answer(key, "granted", reason, actor, json_output)


def reject(key: Shipment, reason: Reason, actor: Actor, json_output: Json = False) -> None:
    """Reject what another person asked for; it stays blocked."""
    _answer(key, "rejected", reason, actor, json_output)


def waiting(json_output: Json = False) -> None:
    """List what waits for a second person."""
    from state import approvals
    from state.engine import open_state

    found = approvals.waiting(open_state(get_settings()))
    if json_output:
        emit_json([vars(each) for each in found])
        return
    table(
        "Waiting for an approval" if found else "Nothing waits for an approval",
        ("shipment", "rules", "amount", "currency", "asked by", "at", "why"),
        [
            (
                *(each.shipment_no, ", ".join(each.codes), each.amount, each.currency),
                *(each.asked_by, each.asked_at, each.asked_because),
            )
            for each in found
        ],
    )


def _answer(key: str, given: Answer, reason: str, actor: str, json_output: bool) -> None:
    from core.clock import utc_now
    from state import approvals
    from state.engine import open_state
    from state.heads import signed_after

    settings = get_settings()
    engine = open_state(settings)
    with signed_after(settings, engine):
        answered = approvals.answer(engine, _key(engine, key), given, actor, reason, utc_now())
    _print(answered, f"{answered.shipment_no}: {given} by {answered.answered_by}.", json_output)


def _key(engine: Engine, named: str) -> Key:
    from state.decisions import latest

    found = [key for key, each in latest(engine).items() if named in {each.shipment_no, each.business_id}]
    if len(found) != 1:
        raise WaybillError(
            f"{len(found)} decisions are about {named!r}.",
            remedy="Name one by its business_id; `waybill gate explain` prints what was decided.",
        )
    return found[0]


def _print(approval: Approval, line: str, json_output: bool) -> None:
    if json_output:
        document: dict[str, Any] = vars(approval)
        emit_json(document)
    else:
        out.print(line, markup=False)
