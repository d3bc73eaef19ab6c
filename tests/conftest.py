"""What tests of every kind share: the state store in each database that it may lie in."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from tests.support.postgres import Server, running_postgres


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
