"""Many requests, one transaction: whoever comes while a commit is under way shares the next one.

Belongs here: gathering. What is committed is ``inbox``'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sqlalchemy import Engine

from state.inbox import Accepted, Incoming, accept

MOST = 512
"""Messages of one transaction."""


class InboxGroup:
    """Takes messages in for one event loop; ``accept`` returns after the transaction that holds the message."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._gathered: list[tuple[Incoming, asyncio.Future[Accepted]]] = []
        self._committing: asyncio.Task[None] | None = None

    async def accept(self, message: Incoming) -> Accepted:
        """What became of one message; raises what the transaction raised."""
        future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._gathered.append((message, future))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_all())
        return await future

    async def _commit_all(self) -> None:
        """One transaction after the other until nobody waits."""
        while self._gathered:
            some, self._gathered = self._gathered[:MOST], self._gathered[MOST:]
            try:
                answers: Sequence[Accepted] = await asyncio.to_thread(
                    accept, self._engine, [message for message, _ in some]
                )
            # Each of those who wait is told; the next transaction is another one.
            except Exception as error:  # noqa: BLE001
                for _, future in some:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(some, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
