"""Telematics: the Samsara dialect, a stats feed with positions grouped by vehicle and a stream of safety events.

Belongs here: cursors, types, time ranges and grouping. Two deviations are documented in the README of the
sandbox: the first call starts at the beginning of history, and each position tells when it was received.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request, Response

from sandbox.servers import access
from sandbox.servers.store import Point, Store

TYPES = {"gps": "gps", "obdOdometerMeters": "odometer", "engineStates": "engine"}
KNOWN_TYPES = frozenset(
    {*TYPES, "fuelPercents", "gpsOdometerMeters", "obdEngineSeconds", "gpsDistanceMeters"}
)
PAGE = 5000
EVENTS_PAGE = 100
TIME_FIELDS = ("updatedAtTime", "createdAtTime")
Place = tuple[str, str, int]


def app(store: Store) -> FastAPI:
    """GET /fleet/vehicles/stats/feed?types=&after= and /safety-events/stream?startTime= : ``data`` and ``pagination``."""
    api = FastAPI(openapi_url=None)
    wanted = access.expected("telematics")

    @api.get("/fleet/vehicles/stats/feed")
    async def feed(request: Request) -> Response:
        if not access.allowed(request.headers.get("authorization"), wanted):
            return _error(401, "Invalid token.")
        types = [each for part in request.query_params.getlist("types") for each in part.split(",") if each]
        if not types or not KNOWN_TYPES.issuperset(types):
            return _error(400, f"types is required: one or more of {', '.join(sorted(KNOWN_TYPES))}.")
        after = request.query_params.get("after", "")
        try:
            place = _place(after) if after else None
        except ValueError:
            return _error(400, "Parameter after is no cursor of this feed.")
        page, pagination = _page(store, "points", place, PAGE)
        return _json({"data": _by_vehicle(page, types), "pagination": pagination})

    @api.get("/safety-events/stream")
    async def stream(request: Request) -> Response:
        if not access.allowed(request.headers.get("authorization"), wanted):
            return _error(401, "Invalid token.")
        return _stream(store, request.query_params)

    return api


def _stream(store: Store, given: Mapping[str, str]) -> Response:
    try:
        begin = _instant(given["startTime"])
        end = _instant(given["endTime"]) if "endTime" in given else None
        place = _place(given["after"]) if given.get("after") else None
    except (KeyError, ValueError):
        return _error(400, "startTime is required in RFC 3339, endTime and after may follow.")
    field = given.get("queryByTimeField", TIME_FIELDS[0])
    if field not in TIME_FIELDS:
        return _error(400, f"queryByTimeField is one of {', '.join(TIME_FIELDS)}.")
    page, pagination = _page(store, "safety", place, EVENTS_PAGE)
    events = [json.loads(point.body) for point in page]
    inside = [each for each in events if _is_between(each[field], begin, end)]
    return _json({"data": inside, "pagination": pagination})


def _page(
    store: Store, collection: str, place: Place | None, size: int
) -> tuple[list[Point], dict[str, str | bool]]:
    found = store.feed(collection, place, size + 1)
    page = found[:size]
    last = page[-1].place if page else place or ("", "", -1)
    return page, {"endCursor": _cursor(last), "hasNextPage": len(found) > size}


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _is_between(text: str, begin: datetime, end: datetime | None) -> bool:
    moment = datetime.fromisoformat(text)
    return begin <= moment and (end is None or moment < end)


def _by_vehicle(points: Iterable[Point], types: list[str]) -> list[dict[str, Any]]:
    """One entry per vehicle with a list per type; a point may lack a type, and then adds nothing to it."""
    wanted = [(name, TYPES[name]) for name in dict.fromkeys(types) if name in TYPES]
    vehicles: dict[str, dict[str, Any]] = {}
    for point in points:
        body = json.loads(point.body)
        device = body["deviceId"]
        vehicle = vehicles.get(device)
        if vehicle is None:
            vehicle = {"id": device, "name": body.get("name") or f"Vehicle {device}"}
            vehicle |= {name: [] for name, _ in wanted}
            vehicles[device] = vehicle
        for name, source in wanted:
            if (value := body.get(source)) is not None:
                vehicle[name].append(value)
    return list(vehicles.values())


def _cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _place(cursor: str) -> Place:
    try:
        visible_at, identity, seq = json.loads(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, UnicodeDecodeError, TypeError) as error:
        raise ValueError(cursor) from error
    return str(visible_at), str(identity), int(seq)


def _json(document: object, status: int = 200) -> Response:
    return Response(json.dumps(document, separators=(",", ":")), status, media_type="application/json")


def _error(status: int, message: str) -> Response:
    return _json({"message": message, "requestId": "sandbox"}, status)
