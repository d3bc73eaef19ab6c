"""``waybill keys``: who may speak to the API, and the secrets that vendors sign their webhooks with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import emit_json, err, out, table
from cli.persons import Actor, Json, Reason
from core.errors import ConfigurationError
from core.settings import get_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

app = typer.Typer(help="API keys and webhook secrets of partners.", no_args_is_help=True)

Partner = Annotated[str, typer.Argument(help="The partner: the name of a connection.")]
_COLUMNS = ("key", "partner", "scopes", "made by", "expires", "last used", "state")
_SECRETS = ("secret", "partner", "vendor", "made by", "made at", "revoked at")


@app.command("create")
def create(
    partner: Partner,
    actor: Actor,
    scope: Annotated[
        list[str],
        typer.Option(
            help="What it may do, such as proofs:write; give it again for more. kpis:read shows the whole installation's "
            "totals: give it to nobody outside."
        ),
    ],
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it is good.")] = 90,
    json_output: Json = False,
) -> None:
    """Make a key and show it, once: only its hash is kept. A partner has two live ones at most, for rotation."""
    from core.clock import utc_now
    from state import keys

    _known(partner)
    unknown = sorted(set(scope) - set(keys.SCOPES))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: no such scope; there are {', '.join(keys.SCOPES)}")
    wanted = [each for each in keys.SCOPES if each in scope]
    with _signed() as engine:
        key, token = keys.create(engine, partner, wanted, timedelta(days=days), actor, utc_now())
    if json_output:
        emit_json({"key": key.key_id, "partner": partner, "scopes": key.scopes, "expires_at": key.expires_at,
                   "token": token.get_secret_value()})  # fmt: skip
        return
    err.print(
        f"Key {key.key_id} of {partner}, good until {key.expires_at:%Y-%m-%d}. It is not shown again:",
        markup=False,
    )
    out.print(token.get_secret_value(), markup=False, soft_wrap=True)


@app.command("list")
def list_keys(json_output: Json = False) -> None:
    """List all keys, without what is secret of them."""
    from core.clock import utc_now
    from state import keys
    from state.engine import open_state

    now = utc_now()
    rows = [
        (
            *(
                each.key_id,
                each.partner,
                " ".join(each.scopes),
                each.created_by,
                each.expires_at,
                each.last_used_at,
            ),
            "live" if each.is_live(now) else "revoked" if each.revoked_at else "expired",
        )
        for each in keys.every(open_state(get_settings()))
    ]
    if json_output:
        emit_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    else:
        table("API keys", _COLUMNS, rows)


@app.command("revoke")
def revoke(key: Annotated[str, typer.Argument(help="Its id.")], reason: Reason, actor: Actor) -> None:
    """End a key: the next request with it is refused."""
    from core.clock import utc_now
    from state import keys

    with _signed() as engine:
        found = keys.revoke(engine, key, actor, reason, utc_now())
    out.print(f"Revoked: {found.key_id} of {found.partner}.", markup=False)


@app.command("secret-add")
def add_secret(
    partner: Partner, vendor: Annotated[str, typer.Argument(help="onfleet, samsara, motive …")], actor: Actor
) -> None:
    """Keep the secret that a vendor signs with, encrypted. It is read from stdin, never from the command line."""
    from typing import get_args

    from pydantic import SecretStr

    from contracts.message_kinds import Vendor
    from core.clock import utc_now
    from state import webhook_secrets

    _known(partner)
    if vendor not in get_args(Vendor):
        raise typer.BadParameter(f"{vendor}: no such vendor; there are {', '.join(get_args(Vendor))}")
    value = typer.prompt("Secret", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not value.strip():
        raise typer.BadParameter("the secret is read from stdin, and nothing came")
    with _signed() as engine:
        made = webhook_secrets.add(engine, partner, vendor, SecretStr(value.strip()), actor, utc_now())
    out.print(f"Kept: secret {made.secret_id}. The address is /v1/webhooks/{vendor}/{partner}.", markup=False)


@app.command("secrets")
def list_secrets(json_output: Json = False) -> None:
    """List the webhook secrets, without what is secret of them."""
    from state import webhook_secrets
    from state.engine import open_state

    rows = [tuple(vars(each).values()) for each in webhook_secrets.every(open_state(get_settings()))]
    if json_output:
        emit_json([dict(zip(_SECRETS, row, strict=True)) for row in rows])
    else:
        table("Webhook secrets", _SECRETS, rows)


@app.command("secret-revoke")
def revoke_secret(
    secret: Annotated[str, typer.Argument(help="Its id.")], reason: Reason, actor: Actor
) -> None:
    """End a webhook secret: what is signed with it is refused from now on."""
    from core.clock import utc_now
    from state import webhook_secrets

    with _signed() as engine:
        webhook_secrets.revoke(engine, secret, actor, reason, utc_now())
    out.print(f"Revoked: secret {secret}.", markup=False)


def _known(partner: str) -> None:
    from core.connections import load_connections

    names = [each.connection for each in load_connections(get_settings().connections_dir)]
    if partner not in names:
        raise ConfigurationError(
            f"There is no connection {partner!r}.", remedy=f"A partner is one of {', '.join(sorted(names))}."
        )


@contextmanager
def _signed() -> Iterator[Engine]:
    """The state store; what was done in it is in a signed head when it is let go of."""
    from state.engine import open_state
    from state.heads import signed_after

    settings = get_settings()
    engine = open_state(settings)
    with signed_after(settings, engine):
        yield engine
