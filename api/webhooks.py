"""Webhooks in: what vendors send by themselves, in their own shapes, each at its partner's own address.

Belongs here: the routes. A body is looked at only once its signature is good; then it is kept as it came, and read by the
ingestion. A vendor is not bound to shipments: its messages become rows of its own connection, as those that are fetched do.
What Standard Webhooks carry are messages of ours: they are bound as if they had come to their own routes.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ValidationError

from api import bodies, evidence, intake
from api.access import address_of, gateway_of
from api.answers import Taken
from api.describing import SIGNED, body, problems
from api.gateway import Gateway
from api.problems import Problem, unprocessable
from api.problems import told as errors_of
from api.signatures import CHECKS, NotSigned
from api.sources import Source
from contracts.cloud_events import CloudEvent
from contracts.message_kinds import MESSAGES, WEBHOOKS, Vendor
from contracts.messages import ProofOfDeliveryMessage
from contracts.vendor_webhooks import StandardWebhook, VendorWebhook
from core.clock import utc_now
from core.ids import new_id, sha256_hex
from state import webhook_secrets

router = APIRouter(tags=["webhooks in"])

Partner = Annotated[
    str, Path(pattern=r"^[a-z][a-z0-9_]*$", max_length=140, description="The connection's name.")
]
_EVENT_ID_MOST = 200


@router.post(
    "/v1/webhooks/{vendor}/{partner}", status_code=202, response_model=Taken, summary="Take a vendor's webhook in",
    openapi_extra=body(*WEBHOOKS), responses=SIGNED,
)  # fmt: skip
async def webhook(request: Request, vendor: Vendor, partner: Partner) -> Response:
    """Signed as the vendor signs: Onfleet, Samsara, Motive, EasyPost, or Standard Webhooks. A redelivery is a duplicate."""
    gateway, address = gateway_of(request), address_of(request)
    gateway.limiter.address(address)
    model = MESSAGES[f"webhook:{vendor}"]
    raw = await _unsigned(request, gateway, address)
    if not await asyncio.to_thread(_is_signed, gateway, vendor, partner, request, raw):
        gateway.limiter.failed(address)
        raise Problem(401, "It is not signed as agreed.", "Sign it with the secret that was agreed, now.")
    gateway.limiter.key(f"{vendor}/{partner}")
    source = Source(partner=partner, kind=model.kind, channel="webhook", trace_id=new_id("trace"))
    message = await intake.understood(gateway, source, raw, model)
    if isinstance(message, StandardWebhook):
        await _check_what_it_carries(request, source, raw, message)
    # Standard Webhooks sign the id beside the body; the others have it in the body. One without any is its own id.
    given = message.message_id if isinstance(message, VendorWebhook) else request.headers["webhook-id"]
    name = (
        given
        if given is not None and len(given) <= _EVENT_ID_MOST
        else sha256_hex((given or "").encode() + raw)
    )
    return await intake.keep(gateway, source, raw, f"{model.kind}:{name}")


@router.get(
    "/v1/webhooks/onfleet/{partner}", summary="Answer Onfleet's question whether somebody is there",
    response_class=PlainTextResponse, responses=problems(422, 429),
)  # fmt: skip
async def onfleet_check(
    request: Request,
    partner: Partner,
    check: Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{1,128}$", description="Repeated in the answer.")],
) -> Response:
    """Onfleet asks so before it sends anything, and expects its own text back."""
    gateway_of(request).limiter.address(address_of(request))
    return PlainTextResponse(check, headers={"X-Content-Type-Options": "nosniff"})


async def _check_what_it_carries(request: Request, source: Source, raw: bytes, told: StandardWebhook) -> None:
    """The message inside, by its contract and by what its sender reaches; refused as at its own route."""
    gateway = gateway_of(request)
    try:
        carried = _carried(told)
    except ValidationError as error:
        errors = errors_of(error)
        letter = await intake.refuse(gateway, source, raw, "CONTRACT_BROKEN", errors[0]["expected"])
        raise unprocessable(errors, dead_letter_id=letter) from error
    await gateway.reach(gateway.connections[source.partner], [carried])
    if isinstance(carried, ProofOfDeliveryMessage):
        await evidence.check(gateway, source, raw, carried)


def _carried(told: StandardWebhook) -> BaseModel:
    """Its data is one of our messages, or what one of our CloudEvents would carry."""
    model, data = MESSAGES.get(told.type), told.data
    if model is None or told.type.startswith("webhook:"):
        model = CloudEvent
        data = {
            "specversion": "1.0", "id": "carried", "source": "carried", "type": told.type,
            "time": told.timestamp.isoformat(), "data": told.data,
        }  # fmt: skip
    carried: BaseModel = model.model_validate_json(json.dumps(data), strict=True)
    return carried


async def _unsigned(request: Request, gateway: Gateway, address: str) -> bytes:
    """The body, of whom nobody knows yet who sent it: nothing is kept of one that is refused, and few are read at once."""
    try:
        with gateway.strangers.reading(address):
            return await bodies.read(request, bodies.LARGEST_JSON)
    except bodies.TooLarge as error:
        raise Problem(413, f"The body has more than {error.largest} bytes.", "Send less at once.") from error
    except Problem as problem:
        if problem.status == 408:
            gateway.limiter.failed(address)
        raise


def _is_signed(gateway: Gateway, vendor: Vendor, partner: str, request: Request, raw: bytes) -> bool:
    """Whether any live secret of this partner and vendor made the signature; an unknown partner has none."""
    if partner not in gateway.connections:
        return False
    signed = False
    for secret in webhook_secrets.live(gateway.engine, partner, vendor):
        try:
            CHECKS[vendor](secret.get_secret_value(), request.headers, raw, utc_now())
        except NotSigned:
            continue
        signed = True
    return signed
