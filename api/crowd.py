"""How many requests are worked on at once: who comes when there are as many is answered 429 at once, and nothing waits.

Belongs here: counting what is under way. How often somebody may ask is ``rates``.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import Problem

MOST_AT_ONCE = 256
_CROWDED = Problem(
    429, "Too many requests at the same time.", "Send it again in 1 s.", headers={"Retry-After": "1"}
)


class Crowd:
    """The middleware."""

    def __init__(self, app: ASGIApp, most: int = MOST_AT_ONCE) -> None:
        self._app, self._most, self._underway = app, most, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._underway >= self._most:
            await _CROWDED.answer()(scope, receive, send)
            return
        self._underway += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._underway -= 1
