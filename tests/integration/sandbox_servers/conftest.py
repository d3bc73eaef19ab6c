"""The sandbox as a program, over a hand-made world."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sandbox import Running, running_sandbox
from tests.support.tiny_world import ORDERS, SEED, TinyWorld, add_one_of_each


@pytest.fixture
def tiny_home(tmp_path: Path) -> Path:
    world = TinyWorld(tmp_path)
    add_one_of_each(world)
    world.connection.close()
    return tmp_path


@pytest.fixture
def running(tiny_home: Path) -> Iterator[Running]:
    with running_sandbox(tiny_home, orders=ORDERS, seed=SEED) as found:
        yield found
