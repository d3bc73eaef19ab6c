"""Taking a message in: read, judged by its contract, bound to its sender, kept, and only then answered.

Belongs here: the way that all capabilities share. ``202`` says that the message is on disk, in a transaction that was
synced, and where to look for what becomes of it; nothing here waits for the warehouse or for any system outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, TypeVar

from fastapi import Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError

from api import bodies, drift
from api.access import Caller, gateway_of
from api.gateway import Gateway
from api.problems import Problem, told, unprocessable
from api.sources import Source
from contracts.message_base import Message
from core.clock import utc_now
from core.ids import sha256_hex
from state import dead_letters
from state.dead_letters import DeadLetter
from state.inbox import CONFLICT, LETTER_KIND, Accepted, Incoming, accept

M = TypeVar("M", bound=BaseModel)
JSON = "application/json"
MessageKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=140, pattern=r"^[!-~]+$", examples=["f3c1b6d2-9c0e"],
        description="The sender's own id of this message. Sent again with the same body it is the same message, for 90 days.",
    ),
]  # fmt: skip


def from_caller(caller: Caller, kind: str, content_type: str = JSON) -> Source:
    """A body that came with a key."""
    return Source(
        partner=caller.partner, kind=kind, channel="api", trace_id=caller.trace_id, key_id=caller.key_id,
        content_type=content_type,
    )  # fmt: skip


async def read_kept(request: Request, source: Source, *types: str) -> bytes:
    """The body, said to be JSON or one of ``types``; one that is too large leaves a dead letter of its size and hash."""
    bodies.check_type(request, JSON, *types)
    try:
        return await bodies.read(request, bodies.LARGEST_JSON)
    except bodies.TooLarge as error:
        letter = await refuse(gateway_of(request), source, error.note, "TOO_LARGE", str(error))
        raise Problem(
            413, f"The body has more than {error.largest} bytes.", "Send less at once.", dead_letter_id=letter
        ) from error


async def understood(gateway: Gateway, source: Source, body: bytes, model: type[M]) -> M:
    """The body as its contract; what breaks it becomes a dead letter, and Problem 400, 413 or 422."""
    try:
        document = bodies.parse(body)
        message = model.model_validate_json(body, strict=True)
    except bodies.Refused as error:
        letter = await refuse(gateway, source, body, error.reason, error.detail)
        raise Problem(
            error.status, error.detail, "Correct it and send it again.", dead_letter_id=letter
        ) from error
    except ValidationError as error:
        errors = told(error)
        letter = await refuse(gateway, source, body, "CONTRACT_BROKEN", "; ".join(map(_said, errors)))
        raise unprocessable(errors, dead_letter_id=letter) from error
    if source.channel == "api":
        await drift.count(gateway.engine, source, document, message)
    return message


async def refuse(gateway: Gateway, source: Source, raw: bytes, reason: str, detail: str) -> str:
    """Keep what is refused as a dead letter; its id."""
    letter = DeadLetter(
        connection=source.partner, kind=LETTER_KIND, resource=source.kind, source_id=None, order_ref=None,
        shipment_ref=None, reason=reason, detail=detail, raw=raw, raw_sha256=sha256_hex(raw),
        trace_id=source.trace_id, run_id=source.trace_id, status="open", received_at=utc_now(),
    )  # fmt: skip
    await asyncio.to_thread(dead_letters.record, gateway.engine, [letter])
    return letter.dead_letter_id


async def take(request: Request, caller: Caller, model: type[Message], key: str) -> JSONResponse:
    """One message of a capability, and the answer to it."""
    gateway, source = gateway_of(request), from_caller(caller, model.kind)
    body = await read_kept(request, source)
    message = await understood(gateway, source, body, model)
    await gateway.reach(caller.connection, [message])
    return await keep(gateway, source, body, f"{model.kind}:{key}")


async def keep(gateway: Gateway, source: Source, body: bytes, event_id: str) -> JSONResponse:
    """Put one message into the inbox and answer; Problem 409 for a reused id."""
    accepted = await keep_one(gateway, source, body, event_id)
    if accepted.outcome == "conflict":
        raise Problem(
            409, "The id came before with another body.", "Send it under an id of its own.", reason=CONFLICT,
            message_id=accepted.message_id,
        )  # fmt: skip
    return JSONResponse(seen(accepted), 202, {"Location": _place(accepted)})


async def keep_one(gateway: Gateway, source: Source, body: bytes, event_id: str) -> Accepted:
    """Put one message into the inbox, with all who come at the same time."""
    return await gateway.kept(_incoming(source, body, event_id))


async def keep_all(gateway: Gateway, source: Source, bodies_: Sequence[tuple[str, bytes]]) -> list[Accepted]:
    """Put several messages into the inbox in one transaction of their own."""
    incoming = [
        # What is found of one later is found by its trace.
        replace(_incoming(source, body, event_id), trace_id=f"{source.trace_id}_{number}")
        for number, (event_id, body) in enumerate(bodies_)
    ]
    return await asyncio.to_thread(accept, gateway.engine, incoming)


def seen(accepted: Accepted) -> dict[str, Any]:
    """What a sender is told of one message."""
    return {"message_id": accepted.message_id, "outcome": accepted.outcome, "look": _place(accepted)}


def _incoming(source: Source, body: bytes, event_id: str) -> Incoming:
    return Incoming(
        partner=source.partner, event_id=event_id, channel=source.channel, kind=source.kind,
        content_type=source.content_type, body=body, trace_id=source.trace_id, received_at=utc_now(),
        key_id=source.key_id,
    )  # fmt: skip


def _place(accepted: Accepted) -> str:
    return f"/v1/messages/{accepted.message_id}"


def _said(error: dict[str, str]) -> str:
    return f"{error['where']}: {error['expected']}"
