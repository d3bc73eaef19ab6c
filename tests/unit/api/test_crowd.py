"""When too many requests are under way, the next one is told to come again and none of the others is lost."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from api.crowd import Crowd, Strangers
from api.problems import Problem


def test_the_next_one_is_sent_away_and_the_one_after_let_in() -> None:
    async def play() -> tuple[list[int], httpx.Response, int]:
        inside, door = asyncio.Semaphore(0), asyncio.Event()
        app = FastAPI()

        @app.get("/")
        async def _wait() -> str:
            inside.release()
            await door.wait()
            return "done"

        transport = httpx.ASGITransport(Crowd(app, most=2))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            waiting = [asyncio.create_task(client.get("/")) for _ in range(2)]
            for _ in waiting:
                await inside.acquire()
            third = await client.get("/")
            door.set()
            done = [each.status_code for each in await asyncio.gather(*waiting)]
            return done, third, (await client.get("/")).status_code

    done, third, after = asyncio.run(play())
    assert done == [200, 200]
    assert (third.status_code, third.headers["retry-after"]) == (429, "1")
    assert third.headers["content-type"] == "application/problem+json"
    assert after == 200


def test_strangers_of_one_address_leave_room_for_those_of_another() -> None:
    strangers = Strangers(most=2)
    with strangers.reading("a"), strangers.reading("a"):
        with pytest.raises(Problem) as told, strangers.reading("a"):
            pass
        assert told.value.status == 429
        with strangers.reading("b"):
            pass
    with strangers.reading("a"), strangers.reading("a"):
        pass


def test_one_that_fails_gives_its_place_back() -> None:
    strangers = Strangers(most=1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), strangers.reading("a"):
            raise ZeroDivisionError
