"""``waybill outbox``: what is to be, is being, or was written into other systems."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from cli import credit_notes, proposals
from cli.output import emit_json, table
from core.settings import get_settings
from state.transitions import STATES

app = typer.Typer(help="What is to be, is being, or was written into other systems.", no_args_is_help=True)

_DONE = ("ACKED", "RECONCILED", "CANCELLED")


def _known(state: str | None) -> str | None:
    if state is not None and state.upper() not in STATES:
        raise typer.BadParameter(f"{state!r} is none of {', '.join(STATES)}")
    return state.upper() if state else None


@app.command("list")
def list_outbox(
    state: Annotated[str | None, typer.Option(help=f"One of {', '.join(STATES)}.", callback=_known)] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Count the outbox by state and list the rows that are not done; with --state, the rows of that state."""
    from state.engine import open_state
    from state.order_keys import waits_for
    from state.outbox import rows

    engine = open_state(get_settings())
    found = rows(engine)
    shown = [each for each in found if (each.state == state if state else each.state not in _DONE)]
    columns = ("state", "company", "destination", "operation", "shipment", "idempotency key", "last error")
    waits = waits_for(engine, [each for each in shown if each.state == "READY"])
    lines = [
        (
            *(each.state, each.company, each.destination, each.operation, each.shipment_no),
            each.idempotency_key[:12],
            waits[each.idempotency_key].told if each.idempotency_key in waits else each.last_error,
        )
        for each in shown
    ]
    if json_output:
        emit_json([dict(zip(columns, line, strict=True)) for line in lines])
        return
    table("By state", ("state", "n"), sorted(Counter(each.state for each in found).items()))
    table("Rows", columns, lines)


app.command("propose")(proposals.propose)
app.command("confirm")(proposals.confirm)
app.command("proposals")(proposals.waiting)
app.command("credit")(credit_notes.credit)
app.command("approve-credit")(credit_notes.approve)
app.command("reject-credit")(credit_notes.reject)
app.command("credits")(credit_notes.waiting)
