"""What all routes share: the state store, the connections, the counters, and the one writer that takes messages in.

Belongs here: opening things once. The store opens with the first request that needs it.
"""

from __future__ import annotations

import asyncio
from functools import cached_property

from sqlalchemy import Engine

from api.published import Published
from api.rates import Limiter, Rates
from core.connections import Connection, load_connections
from core.settings import Settings
from state.engine import open_state
from state.inbox_group import InboxGroup

MOST_DECODED = 2
"""Pictures that are open at once: each may fill 200 MB."""


class Gateway:
    """One per application."""

    def __init__(self, settings: Settings, rates: Rates) -> None:
        self.settings = settings
        self.limiter = Limiter(rates)
        self.published = Published(settings)
        self.decoding = asyncio.Semaphore(MOST_DECODED)

    @cached_property
    def engine(self) -> Engine:
        """The state store of this home."""
        return open_state(self.settings)

    @cached_property
    def group(self) -> InboxGroup:
        """The writer of the inbox."""
        return InboxGroup(self.engine)

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
