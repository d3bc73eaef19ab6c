"""``waybill outbox propose | confirm | proposals``: what people decide about a push that was given up."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cli.output import emit_json, out, table
from cli.persons import Actor, Json, Reason
from core.settings import get_settings

Named = Annotated[str, typer.Argument(help="A shipment's number, or the beginning of an idempotency key.")]


class What(StrEnum):
    """What may be proposed."""

    RETRY = "retry"
    LOOK_UP = "look-up"
    CANCEL = "cancel"
    BILL_AGAIN = "bill-again"


def propose(
    key: Named,
    to: Annotated[
        What,
        typer.Option(
            help="Send it again, find out what became of it, never send it; or take a cancellation back."
        ),
    ],
    reason: Reason,
    actor: Actor,
    json_output: Json = False,
) -> None:
    """Look a row that is DEAD, HELD, CONFLICT or CANCELLED up in the ERP, and propose what to do with it."""
    from activation import operators
    from core.connections import load_connections
    from state.engine import open_state
    from state.heads import signed_after

    settings = get_settings()
    engine, connections = open_state(settings), load_connections(settings.connections_dir)
    with signed_after(settings, engine):
        made = operators.propose(engine, connections, key, to.value, actor, reason)
    if json_output:
        emit_json(vars(made))
        return
    table(
        "In the ERP under its key" if made.found else "The ERP has nothing under its key",
        ("document", "status", "currency", "grand total"),
        [tuple(each.values()) for each in made.found],
    )
    out.print(
        f"{made.shipment_no}: {made.from_state} → {made.to_state}, once somebody else confirms it.",
        markup=False,
    )


def confirm(key: Named, reason: Reason, actor: Actor, json_output: Json = False) -> None:
    """Confirm what another person proposed, if the ERP still holds what it held then; the row moves."""
    from activation import operators
    from core.connections import load_connections
    from state.engine import open_state
    from state.heads import signed_after

    settings = get_settings()
    engine, connections = open_state(settings), load_connections(settings.connections_dir)
    with signed_after(settings, engine):
        moved = operators.confirm(engine, connections, key, actor, reason)
    if json_output:
        emit_json(
            {"idempotency_key": moved.idempotency_key, "shipment_no": moved.shipment_no, "state": moved.state}
        )
    else:
        out.print(f"{moved.shipment_no} is {moved.state}.", markup=False)


def waiting(json_output: Json = False) -> None:
    """List what is proposed and not confirmed."""
    from state import proposals
    from state.engine import open_state

    found = proposals.waiting(open_state(get_settings()))
    if json_output:
        emit_json([vars(each) for each in found])
        return
    table(
        "Proposals" if found else "Nothing is proposed",
        ("shipment", "is", "to be", "found in the ERP", "proposed by", "at", "why"),
        [
            (
                *(each.shipment_no, each.from_state, each.to_state, proposals.documents(each.found)),
                *(each.proposed_by, each.proposed_at, each.proposed_because),
            )
            for each in found
        ],
    )
