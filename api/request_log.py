"""One line of the log for each request, and the headers of each answer.

Belongs here: what may be logged, as a list of names. Nothing else of a request gets into the log: no body, no query, no
header, no path as it was asked for (its template instead), so that no secret and no person does.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable

from fastapi import Request, Response

LOGGED = ("method", "route", "status", "partner", "key_id", "trace_id", "duration_ms")
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_log = logging.getLogger("waybill.api.requests")


async def log_request(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """The middleware."""
    begun, status = time.monotonic(), 500
    try:
        response = await call_next(request)
        status = response.status_code
    finally:
        _tell(request, status, time.monotonic() - begun)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _tell(request: Request, status: int, seconds: float) -> None:
    caller = getattr(request.state, "caller", None)
    line = {
        "method": request.method if request.method.isalpha() else "?",
        "route": getattr(request.scope.get("route"), "path", "none"),
        "status": status,
        "partner": getattr(caller, "partner", None),
        "key_id": getattr(caller, "key_id", None),
        "trace_id": getattr(caller, "trace_id", None),
        "duration_ms": round(seconds * 1000),
    }
    _log.info("%s", json.dumps({name: line[name] for name in LOGGED}))
