"""What tests of every kind share: the state store in each database that it may lie in, and how a run of many goes on."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.support.made_once import MadeOnce
from tests.support.postgres import Server, running_postgres
from tests.support.sqlite_template import made_from_template

_HERE = Path(__file__).parent
_DEAREST_FIRST = ("e2e", "integration", "simulation", "unit", "conventions")
"""Folders of tests by what one of their files takes: minutes, down to seconds."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the files, the dear ones come first: at the end of a run none waits for another long."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _place(item.path))


def pytest_collection_finish() -> None:
    """Keep the garbage collector from walking the libraries' millions of long-lived objects all the time: it took a tenth of what
    a test takes that runs dbt."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def _place(path: Path) -> int:
    folder = path.relative_to(_HERE).parts[0]
    return _DEAREST_FIRST.index(folder) if folder in _DEAREST_FIRST else 0


@pytest.fixture(scope="session", autouse=True)
def _new_stores() -> Iterator[None]:
    """A thousand tests begin with a new store: the migrations run once."""
    with made_from_template():
        yield


@pytest.fixture(scope="session")
def made_once(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """What all processes of this run have in common."""
    return MadeOnce(pytestconfig, tmp_path_factory)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for all tests that ask for it."""
    with running_postgres() as server:
        server.make_template()
        yield server


@pytest.fixture
def other_url(request: pytest.FixtureRequest, state_url: SecretStr | None) -> Iterator[SecretStr | None]:
    """Another new, empty store in the same kind of database."""
    if state_url is None:
        yield None
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest) -> Iterator[SecretStr | None]:
    """``Settings.state_url`` of a new, empty state store: once for each database."""
    if request.param == "sqlite":
        yield None
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url
