"""The pages, served over a published world of known numbers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from state.engine import open_state

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    from published_world import decide, publish
    from undecided import leave_undecided

    settings = Settings(home=tmp_path_factory.mktemp("dashboard"))
    publish(settings)
    decide(settings)
    engine = open_state(settings)
    leave_undecided(engine)
    engine.dispose()
    return settings


@pytest.fixture(scope="session")
def site(world: Settings) -> Iterator[str]:
    from loopback import served

    with served(world) as address:
        yield address
