"""``waybill dead-letter``: rows that were refused or wait for their parent."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from cli.output import emit_json, out, table
from core.settings import get_settings

app = typer.Typer(
    help="Rows that were refused, or that wait for their parent: why, and what came.", no_args_is_help=True
)

Status = Literal["open", "parked", "resolved"]

_COLUMNS = ("id", "status", "connection", "resource", "source id", "reason", "detail", "received")


@app.command("list")
def list_letters(
    status: Annotated[
        Status,
        typer.Option(help="open = refused, parked = waits for its parent, resolved = loaded after all."),
    ] = "open",
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List dead letters of one status with their reasons, newest first."""
    from state.dead_letters import with_status
    from state.engine import open_state

    letters = with_status(open_state(get_settings()), status)
    rows = [
        (
            *(each.dead_letter_id, each.status, each.connection, each.resource, each.source_id),
            *(each.reason, each.detail, each.received_at),
        )
        for each in letters
    ]
    if json_output:
        emit_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    else:
        table(f"Dead letters, {status}", _COLUMNS, rows)


@app.command("show")
def show_letter(
    dead_letter_id: Annotated[str, typer.Argument(help="An id that `waybill dead-letter list` shows.")],
) -> None:
    """Print one dead letter's payload exactly as it came."""
    from state.dead_letters import get
    from state.engine import open_state

    out.file.write(
        get(open_state(get_settings()), dead_letter_id).raw.decode("utf-8", "backslashreplace") + "\n"
    )
