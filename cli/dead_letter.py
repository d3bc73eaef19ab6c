"""``waybill dead-letter``: what was refused or given up, at every stage, and what came. Deciding is ``letter_decisions``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from cli import letter_decisions
from cli.letter_rows import SHOWN, as_json, by_stage, gate_rows, ingestion_rows, push_rows, told
from cli.output import emit_json, out, table
from cli.persons import Json
from core.settings import get_settings
from state.letter_states import Status

app = typer.Typer(
    help="Rows that were refused, or that wait for their parent: why, what came, and what to do with them.",
    no_args_is_help=True,
)

Stage = Literal["ingestion", "gate", "push"]


@app.command("list")
def list_letters(
    status: Annotated[
        Status | None,
        typer.Option(
            help="open = refused, parked = waits for its parent, replaying = a replay of it was cut off, resolved = loaded "
            "after all, replayed and discarded = as somebody decided. Without it: what is to be decided, at every stage."
        ),
    ] = None,
    stage: Annotated[
        Stage | None,
        typer.Option(help="Only this stage; the gate's blocked invoices are listed with it alone."),
    ] = None,
    connection: letter_decisions.OfConnection = None,
    resource: letter_decisions.OfResource = None,
    reason_code: letter_decisions.OfReason = None,
    json_output: Json = False,
) -> None:
    """List what was refused or given up, newest first, with its age and the command that decides about it."""
    from core.clock import utc_now
    from state.dead_letters import Wanted
    from state.engine import open_state

    engine, now = open_state(get_settings()), utc_now()
    which = Wanted((status,) if status else ("open", "replaying"), connection, resource, reason_code)
    is_narrow = any((status, connection, resource, reason_code))
    gate = [] if is_narrow else gate_rows(engine, now)
    push = [] if is_narrow else push_rows(engine, now)
    letters = [] if stage in ("gate", "push") else ingestion_rows(engine, which, now)
    by_name = {"ingestion": letters, "gate": gate, "push": push}
    shown = by_name[stage] if stage else [*letters, *push]
    if json_output:
        emit_json([as_json(each) for each in shown])
        return
    everything = by_name[stage] if stage else [*letters, *gate, *push]
    table("By stage", ("stage", "status", "n", "oldest", "decide with"), by_stage(everything))
    table("Dead letters" if shown else "None", SHOWN, [told(each) for each in shown])
    if gate and not stage:
        out.print("The gate's blocked invoices: waybill dead-letter list --stage gate", markup=False)


@app.command("show")
def show_letter(
    dead_letter_id: letter_decisions.Named,
    fields: Annotated[
        bool,
        typer.Option("--fields", help="Print the contract fields as they would be replayed, to be mended."),
    ] = False,
    json_output: Json = False,
) -> None:
    """Print one dead letter's payload exactly as it came."""
    from ingestion.mending import newest
    from state.dead_letters import get
    from state.engine import open_state
    from state.letter_fixes import of_letter

    engine = open_state(get_settings())
    letter = get(engine, dead_letter_id)
    payload = letter.raw.decode("utf-8", "backslashreplace")
    if fields:
        emit_json(dict(newest(engine, letter).fields or {}))
    elif json_output:
        fixes = [vars(each) for each in of_letter(engine, letter.dead_letter_id)]
        emit_json({"id": letter.dead_letter_id, **vars(letter), "raw": payload, "fixes": fixes})
    else:
        out.file.write(payload + "\n")


app.command("fix")(letter_decisions.fix)
app.command("replay")(letter_decisions.replay)
app.command("discard")(letter_decisions.discard)
