"""``waybill outbox``: what is to be, is being, or was written into other systems."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from cli.output import emit_json, table
from core.settings import get_settings

app = typer.Typer(help="What is written into other systems.", no_args_is_help=True)


@app.command("list")
def list_outbox(
    state: Annotated[str | None, typer.Option(help="One state, for instance HELD.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List outbox rows that are not done; with --state, the rows of that state."""
    from state.engine import open_state
    from state.outbox import rows

    found = rows(open_state(get_settings()))
    shown = [each for each in found if (each.state == state if state else each.state != "ACKED")]
    columns = ("state", "company", "destination", "operation", "shipment", "idempotency key", "last error")
    lines = [
        (
            *(each.state, each.company, each.destination, each.operation, each.shipment_no),
            *(each.idempotency_key[:12], each.last_error),
        )
        for each in shown
    ]
    if json_output:
        emit_json([dict(zip(columns, line, strict=True)) for line in lines])
        return
    table("By state", ("state", "n"), sorted(Counter(each.state for each in found).items()))
    table("Rows", columns, lines)
