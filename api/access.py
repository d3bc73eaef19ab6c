"""Who asks, and whether they may: the key, its scope, its rate.

Belongs here: the caller. Which shipments a caller reaches is ``binding``'s, what a vendor signs is ``signatures``'.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.gateway import Gateway
from api.problems import Problem
from core.connections import Connection
from core.ids import new_id
from state.keys import Scope

_bearer = HTTPBearer(
    scheme_name="key",
    auto_error=False,
    description="A key that `waybill keys create` made: `Authorization: Bearer wbk_…`",
)


@dataclass(frozen=True)
class Caller:
    """A partner with a live key. ``trace_id`` is this request's."""

    partner: str
    key_id: str
    connection: Connection
    trace_id: str


def gateway_of(request: Request) -> Gateway:
    """What the application's routes share."""
    gateway: Gateway = request.app.state.gateway
    return gateway


def address_of(request: Request) -> str:
    """Where a request comes from. No header is believed: nothing stands in front of this API."""
    return request.client.host if request.client else "unknown"


def may(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    """A dependency: the caller, when its key has the scope; Problem 401, 403 or 429 else."""

    async def _caller(
        request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Caller:
        gateway, address = gateway_of(request), address_of(request)
        gateway.limiter.address(address)
        key = None
        if given is not None:
            key = await gateway.key_of(given.credentials)
        connection = gateway.connections.get(key.partner) if key else None
        if key is None or connection is None:
            gateway.limiter.failed(address)
            raise Problem(
                401, "No live key came with it.", "Send `Authorization: Bearer` and a key.",
                headers={"WWW-Authenticate": "Bearer"},
            )  # fmt: skip
        caller = Caller(key.partner, key.key_id, connection, new_id("trace"))
        request.state.caller = caller
        gateway.limiter.key(key.key_id)
        if scope not in key.scopes:
            raise Problem(403, f"The key has not the scope {scope}.", "Ask for a key that has it.")
        return caller

    return _caller
