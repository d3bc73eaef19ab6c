"""Where a shipment stands, and its way: read from the serving copy and the state store, for those who reach it.

Belongs here: the two routes and their queries. A shipment that a partner does not reach is not there.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request

from api import billing, binding
from api.access import Caller, gateway_of, may
from api.answers import ShipmentStatus, Step, Trace
from api.describing import READS
from api.gateway import Gateway
from api.problems import Problem

router = APIRouter(tags=["shipments"], responses=READS)

ShipmentNo = Annotated[
    str, Path(min_length=1, max_length=140, description="The shipment's number.", examples=["SH-1001"])
]
_COLUMNS = tuple(ShipmentStatus.model_fields)
_STEPS = {
    "ordered_at": ("ordered", "erp"),
    "confirmed_at": ("confirmed", "erp"),
    "released_at": ("released to dispatch", "erp"),
    "departed_at": ("departed", "dispatch"),
    "arrived_at": ("arrived", "dispatch"),
    "delivered_at": ("delivered", "dispatch or proof"),
    "pod_captured_at": ("proof captured", "pod"),
    "pod_received_at": ("proof received", "pod"),
    "first_decided_at": ("judged by the gate", "gate"),
    "gate_released_at": ("released by the gate", "gate"),
    "first_invoice_posted_at": ("invoice posted", "erp"),
    "cancelled_at": ("cancelled", "dispatch"),
}
"""Column of ``fct_shipments`` → what happened, and where that is known from."""


@router.get("/v1/shipments/{shipment_no}", summary="Where a shipment stands")
async def status(
    request: Request, shipment_no: ShipmentNo, caller: Annotated[Caller, Depends(may("shipments:read"))]
) -> ShipmentStatus:
    """As it was published last: `as_of` says when that was."""
    return await asyncio.to_thread(_status, gateway_of(request), caller, shipment_no)


@router.get("/v1/shipments/{shipment_no}/trace", summary="A shipment's way")
async def trace(
    request: Request, shipment_no: ShipmentNo, caller: Annotated[Caller, Depends(may("shipments:read"))]
) -> Trace:
    """What happened to it, oldest first, and where its invoice stands now."""
    return await asyncio.to_thread(_trace, gateway_of(request), caller, shipment_no)


def _status(gateway: Gateway, caller: Caller, shipment_no: str) -> ShipmentStatus:
    values = _row(gateway, caller, shipment_no, _COLUMNS)
    return ShipmentStatus.model_validate(dict(zip(_COLUMNS, values, strict=True)))


def _trace(gateway: Gateway, caller: Caller, shipment_no: str) -> Trace:
    shipment_id, *values = _row(gateway, caller, shipment_no, ("shipment_id", *_STEPS))
    steps = [
        Step(at=at, what=what, source=source)
        for at, (what, source) in zip(values, _STEPS.values(), strict=True)
        if at is not None
    ]
    return Trace(
        shipment_no=shipment_no,
        steps=tuple(sorted(steps, key=lambda each: each.at)),
        billing=billing.of(gateway, [shipment_id]),
    )


def _row(gateway: Gateway, caller: Caller, shipment_no: str, columns: tuple[str, ...]) -> tuple[Any, ...]:
    """One published shipment that the caller reaches; of two with one number, the caller's."""
    sql = (
        f"SELECT source_system, order_connection, carrier_id, customer_id, {', '.join(columns)} "
        "FROM marts.fct_shipments WHERE shipment_no = $1 ORDER BY source_system"
    )
    for system, orders, carrier, customer, *values in gateway.published.rows(sql, [shipment_no]):
        if binding.is_reached(caller.connection, binding.owner(system, orders, carrier, customer)):
            return tuple(values)
    raise Problem(404, "There is no such shipment for this partner.", "Ask for one that this partner moves.")
