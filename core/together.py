"""Asking together: whoever comes while an answer is being fetched shares the next fetch with all who came meanwhile.

Nothing is remembered: what a question is answered with was fetched after it was asked. Alone it costs what it always cost;
under load many share one transaction, one query, one thread. Belongs here: gathering. What is asked is the caller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")
MOST = 512
"""Questions that are answered at once."""


class Together(Generic[Q, A]):
    """For one event loop. ``answer`` runs in a thread; an exception among its answers is that question's own."""

    def __init__(self, answer: Callable[[list[Q]], Sequence[A | Exception]]) -> None:
        self._answer = answer
        self._asked: list[tuple[Q, asyncio.Future[A]]] = []
        self._answering: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """The answer; raises what is this question's own, or what ``answer`` raised."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._asked.append((question, future))
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer_all())
        return await future

    async def _answer_all(self) -> None:
        """One call after the other until nobody waits."""
        while self._asked:
            some, self._asked = self._asked[:MOST], self._asked[MOST:]
            answers: Sequence[A | Exception]
            try:
                answers = await asyncio.to_thread(self._answer, [question for question, _ in some])
            # Each of those who wait is told; the next call is another one.
            except Exception as error:  # noqa: BLE001
                answers = [error] * len(some)
            for (_, future), answer in zip(some, answers, strict=True):
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
