"""``waybill connections``: which systems are connected, and whether their files are right."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import emit_json, table
from core.connections import load_connections
from core.settings import get_settings

app = typer.Typer(help="The connected systems: owner, lifecycle, last answer.", no_args_is_help=True)

_DRIFT = ("connection", "resource", "field", "rows", "first seen", "last seen")
_COLUMNS = ("connection", "kind", "adapter", "owner", "criticality", "lifecycle", "last answer", "problem")


@app.command("list")
def list_connections(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the connections and when each last answered; a broken file is told with its line."""
    from state.engine import open_state
    from state.home import has_state
    from state.observations import latest

    settings = get_settings()
    connections = load_connections(settings.connections_dir)
    seen = {each.connection: each for each in latest(open_state(settings))} if has_state(settings) else {}
    rows = []
    for each in connections:
        observation = seen.get(each.connection)
        rows.append(
            (
                *(each.connection, each.kind, each.adapter, each.owner, each.criticality, each.lifecycle),
                observation.last_ok_at if observation else None,
                observation.error if observation and not observation.ok else None,
            )
        )
    if json_output:
        emit_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    else:
        table("Connections", _COLUMNS, rows)


@app.command("drift")
def list_drift(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List fields that a source began to send after its first reading, and in how many rows they stood."""
    from state.engine import open_state
    from state.source_fields import drift

    rows = [
        (each.connection, each.resource, each.field, each.row_count, each.first_seen_at, each.last_seen_at)
        for each in drift(open_state(get_settings()))
    ]
    if json_output:
        emit_json([dict(zip(_DRIFT, row, strict=True)) for row in rows])
    else:
        table("Fields that nobody agreed on", _DRIFT, rows)
