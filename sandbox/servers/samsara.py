"""Telematics: the Samsara stats-feed dialect, positions grouped by vehicle on each page.

Belongs here: the feed's cursor, types and grouping. Two deviations are documented in the README of the
sandbox: the first call starts at the beginning of history, and each position tells when it was received.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI, Request, Response

from sandbox.servers import access
from sandbox.servers.store import Point, Store

TYPES = {"gps": "gps", "obdOdometerMeters": "odometer", "engineStates": "engine"}
KNOWN_TYPES = frozenset(
    {*TYPES, "fuelPercents", "gpsOdometerMeters", "obdEngineSeconds", "gpsDistanceMeters"}
)
PAGE = 5000
Place = tuple[str, str, int]


def app(store: Store) -> FastAPI:
    """GET /fleet/vehicles/stats/feed?types=&after= : ``data`` and ``pagination``."""
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
        found = store.feed("points", place, PAGE + 1)
        page = found[:PAGE]
        pagination = {
            "endCursor": _cursor(page[-1].place) if page else after or _cursor(("", "", -1)),
            "hasNextPage": len(found) > PAGE,
        }
        return _json({"data": _by_vehicle(page, types), "pagination": pagination})

    return api


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
