"""One line of the log for each request, and the headers of each answer.

Belongs here: what may be logged, as a list of names. Nothing else of a request gets into the log: no body, no query, no
header, no path as it was asked for (its template instead), so that no secret and no person does.
"""

from __future__ import annotations

import json
import logging
import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGGED = ("method", "route", "status", "partner", "key_id", "trace_id", "duration_ms")
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_log = logging.getLogger("waybill.api.requests")


class RequestLog:
    """The middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.monotonic(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            _tell(scope, status, time.monotonic() - begun)


def _tell(scope: Scope, status: int, seconds: float) -> None:
    if not _log.isEnabledFor(logging.INFO):
        return
    caller = scope.get("state", {}).get("caller")
    line = {
        "method": scope["method"] if scope["method"].isalpha() else "?",
        "route": getattr(scope.get("route"), "path", "none"),
        "status": status,
        "partner": getattr(caller, "partner", None),
        "key_id": getattr(caller, "key_id", None),
        "trace_id": getattr(caller, "trace_id", None),
        "duration_ms": round(seconds * 1000),
    }
    _log.info("%s", json.dumps({name: line[name] for name in LOGGED}))
