"""What all routes share: the state store, the connections, the counters, and the one writer that takes messages in.

Belongs here: opening things once. The store opens with the first request that needs it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cached_property

from pydantic import BaseModel
from sqlalchemy import Engine

from api import binding
from api.binding import Asked
from api.crowd import Strangers
from api.published import Published
from api.rates import Limiter, Rates
from core.clock import utc_now
from core.connections import Connection, load_connections
from core.settings import Settings
from core.together import Together
from state import inbox, keys
from state.engine import open_state
from state.inbox import Accepted, Incoming
from state.keys import Key

MOST_DECODED = 2
"""Pictures that are open at once: each may fill 200 MB."""


class Gateway:
    """One per application."""

    def __init__(self, settings: Settings, rates: Rates) -> None:
        self.settings = settings
        self.limiter = Limiter(rates)
        self.strangers = Strangers()
        self.published = Published(settings)
        self.decoding = asyncio.Semaphore(MOST_DECODED)
        # By name when it is called: tests put a full disk in the place of ``inbox.accept``.
        self._inbox = Together[Incoming, Accepted](lambda some: inbox.accept(self.engine, some))
        self._keys = Together[str, Key | None](lambda some: keys.find_all(self.engine, some, utc_now()))
        self._reach = Together[Asked, None](lambda some: binding.judge_all(self.published, self.engine, some))

    @cached_property
    def engine(self) -> Engine:
        """The state store of this home."""
        return open_state(self.settings)

    async def kept(self, message: Incoming) -> Accepted:
        """What became of one message: it is kept in one transaction with all that come at the same time."""
        return await self._inbox.ask(message)

    async def key_of(self, token: str) -> Key | None:
        """The live key that a text is, as the database says now."""
        return await self._keys.ask(token)

    async def reach(self, connection: Connection, messages: Sequence[BaseModel]) -> None:
        """Problem 403 or 404 when a message names something that its sender does not reach (``binding``)."""
        asked = binding.asked(connection, messages)
        if asked.needs_looking_up:
            await self._reach.ask(asked)

    @cached_property
    def connections(self) -> dict[str, Connection]:
        """Partners by name; a retired connection is none."""
        found = load_connections(self.settings.connections_dir)
        return {each.connection: each for each in found if each.lifecycle != "retired"}

    def close(self) -> None:
        """Close what was opened."""
        self.published.close()
        if "engine" in vars(self):
            self.engine.dispose()
