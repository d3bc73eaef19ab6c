"""Who asks together is answered together, each with its own answer."""

from __future__ import annotations

import asyncio
import threading

import pytest

from core.together import MOST, Together


def test_who_comes_meanwhile_shares_the_next_call() -> None:
    calls: list[list[int]] = []
    first, go_on = threading.Event(), threading.Event()

    def answer(some: list[int]) -> list[int]:
        calls.append(some)
        if len(calls) == 1:
            first.set()
            go_on.wait(10)
        return [each * 2 for each in some]

    async def play() -> list[int]:
        together = Together(answer)
        alone = asyncio.create_task(together.ask(1))
        await asyncio.to_thread(first.wait, 10)
        others = [asyncio.create_task(together.ask(each)) for each in range(2, 2 + MOST + 1)]
        await asyncio.sleep(0)
        go_on.set()
        return [await alone, *await asyncio.gather(*others)]

    assert asyncio.run(play()) == [each * 2 for each in range(1, MOST + 3)]
    assert [len(each) for each in calls] == [1, MOST, 1]


def test_an_answer_that_is_an_exception_is_raised_to_who_asked_and_to_nobody_else() -> None:
    def answer(some: list[int]) -> list[int | Exception]:
        return [ValueError(str(each)) if each == 2 else each for each in some]

    async def play() -> list[int | BaseException]:
        together = Together(answer)
        return await asyncio.gather(*(together.ask(each) for each in (1, 2, 3)), return_exceptions=True)

    one, two, three = asyncio.run(play())
    assert (one, three) == (1, 3)
    assert isinstance(two, ValueError)


def test_who_has_gone_meanwhile_keeps_nobody_from_the_answer() -> None:
    go_on = threading.Event()

    def answer(some: list[int]) -> list[int]:
        go_on.wait(10)
        return some

    async def play() -> int:
        together = Together(answer)
        gone, waiting = asyncio.create_task(together.ask(1)), asyncio.create_task(together.ask(2))
        await asyncio.sleep(0)
        gone.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await waiting

    assert asyncio.run(play()) == 2
