"""Webhooks in: what vendors send by themselves, in their own shapes, each at its partner's own address.

Belongs here: the routes. A body is looked at only once its signature is good; then it is kept as it came, and read by the
ingestion. A vendor is not bound to shipments: its messages become rows of its own connection, as those that are fetched do.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse

from api import bodies, intake
from api.access import address_of, gateway_of
from api.answers import Taken
from api.describing import SIGNED, body, problems
from api.gateway import Gateway
from api.problems import Problem
from api.signatures import CHECKS, NotSigned
from api.sources import Source
from contracts.message_kinds import MESSAGES, WEBHOOKS, Vendor
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
    try:
        raw = await bodies.read(request, bodies.LARGEST_JSON)
    except bodies.TooLarge as error:
        # Nobody knows yet who sent it: nothing of it is kept.
        raise Problem(413, f"The body has more than {error.largest} bytes.", "Send less at once.") from error
    if not await asyncio.to_thread(_is_signed, gateway, vendor, partner, request, raw):
        gateway.limiter.failed(address)
        raise Problem(401, "It is not signed as agreed.", "Sign it with the secret that was agreed, now.")
    gateway.limiter.key(f"{vendor}/{partner}")
    source = Source(partner=partner, kind=model.kind, channel="webhook", trace_id=new_id("trace"))
    message = await intake.understood(gateway, source, raw, model)
    # Standard Webhooks sign the id beside the body; the others have it in the body. One without any is its own id.
    given = request.headers["webhook-id"] if vendor == "standard" else message.message_id  # type: ignore[attr-defined]
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
