"""Events as CloudEvents 1.0 (structured JSON), one or several at once.

Belongs here: the two routes. An event's source and id together are its message id, as the specification says.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from api import bodies, intake, judging
from api.access import Caller, gateway_of, may
from api.answers import Taken, TakenBatch
from api.describing import WRITES, body
from api.problems import Problem
from api.sources import Source
from contracts.cloud_events import BATCH_TYPE, EVENT_TYPE, CloudEvent, CloudEventBatch

router = APIRouter(tags=["messages in"], responses=WRITES)


@router.post(
    "/v1/events", status_code=202, response_model=Taken, summary="Send one event",
    openapi_extra=body(CloudEvent, media_type=EVENT_TYPE),
)  # fmt: skip
async def one_event(request: Request, caller: Annotated[Caller, Depends(may("events:write"))]) -> Response:
    """Arrival, departure, geofence, deviation, load completed, failed delivery, maintenance alert, expected arrival."""
    gateway, source = gateway_of(request), intake.from_caller(caller, CloudEvent.kind, EVENT_TYPE)
    raw = await intake.read_kept(request, source, EVENT_TYPE)
    event = await intake.understood(gateway, source, raw, CloudEvent)
    await gateway.reach(caller.connection, [event])
    return await intake.keep(gateway, source, raw, judging.id_of(event))


@router.post(
    "/v1/events/batch", status_code=202, response_model=TakenBatch, summary="Send several events",
    openapi_extra=body(CloudEventBatch, media_type=BATCH_TYPE),
)  # fmt: skip
async def several_events(
    request: Request, caller: Annotated[Caller, Depends(may("events:write"))]
) -> Response:
    """Each is judged by itself and answered in its place; the good ones are kept in one transaction. 409 or 422 when none is."""
    gateway, source = gateway_of(request), intake.from_caller(caller, CloudEvent.kind, EVENT_TYPE)
    raw = await intake.read_kept(request, source, BATCH_TYPE)
    judged = await judging.judge(gateway, caller.connection, source, await _items(request, source, raw))
    good = [each for each in judged if each.event is not None]
    kept = await intake.keep_all(
        gateway, source, [(judging.id_of(each.event), each.raw) for each in good if each.event]
    )
    places = iter(kept)
    answers = [intake.seen(next(places)) if each.event is not None else each.refusal for each in judged]
    told_ = [{"id": each.id, **answer} for each, answer in zip(judged, answers, strict=True)]
    for each in told_:
        if each["outcome"] == "conflict":
            each.pop("look")
    outcomes = {each["outcome"] for each in told_}
    if not outcomes & {"accepted", "duplicate"}:
        status = 409 if "conflict" in outcomes else 422
        raise Problem(status, "No event of the batch was kept.", "Correct what `events` names.", events=told_)
    return JSONResponse({"events": told_}, 202)


async def _items(request: Request, source: Source, raw: bytes) -> list[judging.Read]:
    """The events of a batch as they came; a body that is no list is refused whole."""
    try:
        return judging.several(raw)
    except bodies.Refused as error:
        letter = await intake.refuse(gateway_of(request), source, raw, error.reason, error.detail)
        raise Problem(
            error.status, error.detail, "Correct it and send it again.", dead_letter_id=letter
        ) from error
