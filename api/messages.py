"""What became of an accepted message. Belongs here: one route; a message of another partner is not there."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from api import billing
from api.access import Caller, gateway_of, may
from api.answers import Outcome, Refusal
from api.describing import READS
from api.gateway import Gateway
from api.problems import Problem
from state.message_outcomes import outcome_of

router = APIRouter(tags=["messages in"], responses=READS)


@router.get("/v1/messages/{message_id}", summary="What became of a message")
async def outcome(
    request: Request,
    message_id: Annotated[str, Path(max_length=64, examples=["msg_0b1c"], description="As the 202 said.")],
    caller: Annotated[Caller, Depends(may("messages:read"))],
) -> Outcome:
    """`received` until it is loaded; then how many of its rows were loaded, refused or wait, and the invoices of those shipments
    that it names and its sender reaches."""
    return await asyncio.to_thread(_outcome, gateway_of(request), caller, message_id)


def _outcome(gateway: Gateway, caller: Caller, message_id: str) -> Outcome:
    found = outcome_of(gateway.engine, caller.partner, message_id)
    if found is None:
        raise Problem(404, "This partner sent no such message.", "Ask for one that a 202 named.")
    return Outcome(
        **{
            name: getattr(found, name) for name in Outcome.model_fields if name not in ("refusals", "billing")
        },
        refusals=tuple(Refusal.model_validate(vars(each)) for each in found.refusals),
        billing=billing.of_reached(gateway, caller.connection, found.shipments),
    )
