"""How many requests are worked on at once: who comes when there are as many is answered 429 at once, and nothing waits.

Belongs here: counting what is under way, of all and of an address that nobody knows yet. How often somebody may ask is
``rates``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import Problem

MOST_AT_ONCE = 256
MOST_UNSIGNED = 64
"""Of one address, bodies that are read before anybody knows who sends them: a quarter of all, however slowly they come."""


def _crowded() -> Problem:
    return Problem(
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
            await _crowded().answer()(scope, receive, send)
            return
        self._underway += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._underway -= 1


class Strangers:
    """Bodies under way of whom nobody knows yet, by address; for one event loop."""

    def __init__(self, most: int = MOST_UNSIGNED) -> None:
        self._most = most
        self._underway: Counter[str] = Counter()

    @contextmanager
    def reading(self, address: str) -> Iterator[None]:
        """Count one while it is read; Problem 429 when as many of this address are."""
        if self._underway[address] >= self._most:
            raise _crowded()
        self._underway[address] += 1
        try:
            yield
        finally:
            self._underway[address] -= 1
            if not self._underway[address]:
                del self._underway[address]
