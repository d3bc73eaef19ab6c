"""``waybill inbox``: what partners sent by themselves, as long as it is kept."""

from __future__ import annotations

from datetime import timedelta

import typer

from cli.output import emit_json, err
from cli.persons import Actor, Json
from core.settings import get_settings

app = typer.Typer(help="Messages that partners sent.", no_args_is_help=True)


@app.callback()
def _inbox() -> None:
    """Keep the noun, though it has one verb."""


@app.command("prune")
def prune(actor: Actor, json_output: Json = False) -> None:
    """Forget the bytes of messages that are settled and older than WAYBILL_INBOX_DAYS; that they came, and what became of
    them, stays."""
    from core.clock import utc_now
    from state import retention
    from state.engine import open_state
    from state.heads import signed_after

    settings = get_settings()
    engine = open_state(settings)
    with signed_after(settings, engine):
        pruned = retention.prune(engine, timedelta(days=settings.inbox_days), actor, utc_now())
    if json_output:
        emit_json(vars(pruned))
        return
    err.print(
        f"{pruned.messages} messages from before {pruned.received_before:%Y-%m-%d}: "
        f"{pruned.size_bytes / 1e6:.1f} MB forgotten."
    )
