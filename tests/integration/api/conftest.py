"""One application for all tests of a module that only sends and asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from state.webhook_secrets import KEY_NAME
from tests.support.api_world import MASTER_KEY, World, make_world


@pytest.fixture(scope="session")
def _master_key() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_NAME, MASTER_KEY)
        yield


@pytest.fixture(scope="session")
def world(_master_key: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = make_world(tmp_path_factory.mktemp("api"))
    yield world
    world.gateway.close()
