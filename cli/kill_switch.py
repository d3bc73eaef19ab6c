"""``waybill kill-switch``: stop what may be sent at once, and let it go on once two people say so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import emit_json, out, table
from cli.persons import Actor, Json, Reason, said
from core.errors import ConfigurationError
from core.settings import get_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.settings import Settings
    from state.kill_switch import Scope, Switch

app = typer.Typer(help="Stop what may be sent, at once.", no_args_is_help=True)

Destination = Annotated[str | None, typer.Option(help="Only what goes to this connection.")]
Company = Annotated[str | None, typer.Option(help="Only invoices of this company.")]


@app.command("pull")
def pull(
    reason: Reason,
    actor: Actor,
    destination: Destination = None,
    company: Company = None,
    json_output: Json = False,
) -> None:
    """Stop sending: everything, or to one destination, or for one company. What has begun ends as ever."""
    from core.clock import utc_now
    from state import kill_switch

    settings, scope = get_settings(), _scope(get_settings(), destination, company)
    with _signed(settings) as engine:
        found = kill_switch.pull(engine, scope, actor, reason, utc_now())
    if json_output:
        emit_json(_of(found))
    else:
        out.print(str(found), markup=False)


@app.command("release")
def release(
    reason: Reason,
    actor: Actor,
    destination: Destination = None,
    company: Company = None,
    json_output: Json = False,
) -> None:
    """Ask for the release of what was pulled; the second person who does so carries it out."""
    from core.clock import utc_now
    from state import kill_switch

    settings, scope = get_settings(), _scope(get_settings(), destination, company)
    with _signed(settings) as engine:
        found = kill_switch.release(engine, scope, actor, reason, utc_now())
    if json_output:
        emit_json({"scope": str(scope), "released": found is None, "switch": _of(found) if found else None})
    elif found is None:
        out.print(f"Released: {scope}. The next run sends what waits.", markup=False)
    else:
        out.print(f"Asked for: {scope}. Somebody else releases it with the same command.", markup=False)


@app.command("status")
def status(json_output: Json = False) -> None:
    """List the switches that are pulled."""
    from state import kill_switch
    from state.engine import open_state

    found = kill_switch.pulled(open_state(get_settings()))
    if json_output:
        emit_json([_of(each) for each in found])
        return
    table(
        "Pulled kill switches" if found else "No kill switch is pulled",
        ("what", "pulled by", "at", "why", "release asked by"),
        [
            (str(each.scope), each.pulled_by, each.pulled_at, each.pulled_because, each.release_asked_by)
            for each in found
        ],
    )


def _scope(settings: Settings, destination: str | None, company: str | None) -> Scope:
    from core.connections import load_connections
    from state.kill_switch import Scope

    if destination is not None and company is not None:
        raise typer.BadParameter("name a destination or a company, not both")
    if company is not None:
        return Scope("company", said(company))
    if destination is None:
        return Scope("global")
    known = sorted(c.connection for c in load_connections(settings.connections_dir) if c.destination)
    if destination not in known:
        raise ConfigurationError(
            f"Nothing is sent to {destination!r}.", remedy=f"Name one of {', '.join(known) or 'none yet'}."
        )
    return Scope("destination", destination)


@contextmanager
def _signed(settings: Settings) -> Iterator[Engine]:
    """The state store; what was done in it is in a signed head when it is let go of."""
    from state.engine import open_state
    from state.heads import signed_after

    engine = open_state(settings)
    with signed_after(settings, engine):
        yield engine


def _of(switch: Switch) -> dict[str, Any]:
    return {"scope": str(switch.scope), **vars(switch)}
