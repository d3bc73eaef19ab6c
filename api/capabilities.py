"""The business capabilities that write: order releases, route assignments, proofs, freight costs, exceptions.

Belongs here: one route each. What is common to them is ``intake``'s; events are ``events``'.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api import evidence, intake
from api.access import Caller, gateway_of, may
from api.answers import Taken
from api.describing import WRITES, body
from api.intake import MessageKey
from contracts.messages import (
    ExceptionChange,
    FreightCost,
    OrderRelease,
    ProofOfDeliveryMessage,
    RouteAssignment,
)

router = APIRouter(tags=["messages in"], responses=WRITES)


@router.post(
    "/v1/order-releases", status_code=202, response_model=Taken, summary="Release an order for delivery",
    openapi_extra=body(OrderRelease),
)  # fmt: skip
async def order_releases(
    request: Request, key: MessageKey, caller: Annotated[Caller, Depends(may("orders:write"))]
) -> Response:
    """An order with its lines. It is kept under the partner's own name."""
    return await intake.take(request, caller, OrderRelease, key)


@router.post(
    "/v1/route-assignments", status_code=202, response_model=Taken, summary="Assign shipments to a route",
    openapi_extra=body(RouteAssignment),
)  # fmt: skip
async def route_assignments(
    request: Request, key: MessageKey, caller: Annotated[Caller, Depends(may("routes:write"))]
) -> Response:
    """A trip with its vehicle, its shipments and its stops. A shipment that nobody knows yet is the partner's from now on."""
    return await intake.take(request, caller, RouteAssignment, key)


@router.post(
    "/v1/proofs-of-delivery", status_code=202, response_model=Taken, summary="Send a proof of delivery",
    openapi_extra=body(ProofOfDeliveryMessage),
)  # fmt: skip
async def proofs_of_delivery(
    request: Request, key: MessageKey, caller: Annotated[Caller, Depends(may("proofs:write"))]
) -> Response:
    """A delivery that was done or failed. Its documents were uploaded before, for the same proof."""
    gateway, source = gateway_of(request), intake.from_caller(caller, ProofOfDeliveryMessage.kind)
    raw = await intake.read_kept(request, source)
    proof = await intake.understood(gateway, source, raw, ProofOfDeliveryMessage)
    await gateway.reach(caller.connection, [proof])
    await evidence.check(gateway, source, raw, proof)
    return await intake.keep(gateway, source, raw, f"{source.kind}:{key}")


@router.post(
    "/v1/freight-costs", status_code=202, response_model=Taken, summary="Send what a carrier charges",
    openapi_extra=body(FreightCost),
)  # fmt: skip
async def freight_costs(
    request: Request, key: MessageKey, caller: Annotated[Caller, Depends(may("freight:write"))]
) -> Response:
    """One amount, as a text with every digit, for an order or a shipment."""
    return await intake.take(request, caller, FreightCost, key)


@router.post(
    "/v1/exceptions", status_code=202, response_model=Taken, summary="Raise, pause, resume or resolve an exception",
    openapi_extra=body(ExceptionChange),
)  # fmt: skip
async def exceptions(
    request: Request, key: MessageKey, caller: Annotated[Caller, Depends(may("exceptions:write"))]
) -> Response:
    """One turn of a case: `opened` raises it, `paused`, `resumed`, `resolved` and `reopened` follow in any order of arrival."""
    return await intake.take(request, caller, ExceptionChange, key)
