"""Each server in this process, over a hand-made world, without a socket."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.clock import WorldClock
from sandbox.servers import access
from sandbox.servers.process import outside
from sandbox.servers.store import prepare
from tests.support.tiny_world import TinyWorld, add_one_of_each

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)


class Client:
    """Asks one server; requests carry its credentials unless ``headers`` say otherwise."""

    def __init__(self, system: str, path: Path, at: datetime = NOW) -> None:
        self.clock = WorldClock(at, time.monotonic())
        self.app = outside(system, path, self.clock)
        self.headers = {"Authorization": access.expected(system)}

    def ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
                return await client.request(method, url, **{"headers": self.headers, **options})

        return asyncio.run(asked())

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.ask("GET", url, **options)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[TinyWorld]:
    made = TinyWorld(tmp_path)
    prepare(made.path)
    add_one_of_each(made)
    yield made
    made.connection.close()


@pytest.fixture
def server(world: TinyWorld) -> Callable[..., Client]:
    """``server("erp")`` or ``server("erp", at=moment)``."""
    return lambda system, at=NOW: Client(system, world.path, at)
