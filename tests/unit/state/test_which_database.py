"""A home and its database know each other: what is not this home's state store is refused, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from core.errors import ConfigurationError
from core.settings import Settings
from state import home, ledger
from state.engine import open_state
from state.postgresql import url_of
from tests.support.postgres import Server


@pytest.fixture
def settings(tmp_path: Path, postgres: Server) -> Iterator[Settings]:
    with postgres.database() as url:
        yield Settings(home=tmp_path / "home", state_url=url)


def test_a_home_is_opened_again_with_the_same_setting(settings: Settings) -> None:
    assert not home.has_state(settings)
    with open_state(settings).begin() as db:
        ledger.append(db, "sending", "push", "key", {})
    assert home.has_state(settings)
    assert ledger.verify(open_state(settings)).rows == 1
    assert not settings.state.exists()


def test_a_home_in_postgresql_is_not_opened_as_sqlite(settings: Settings) -> None:
    open_state(settings)
    with pytest.raises(ConfigurationError, match="keeps its state in PostgreSQL") as refused:
        open_state(Settings(home=settings.home))
    assert "Set WAYBILL_STATE_URL" in refused.value.remedy
    assert not settings.state.exists()


def test_a_home_in_sqlite_is_not_opened_as_postgresql(settings: Settings) -> None:
    open_state(Settings(home=settings.home))
    with pytest.raises(ConfigurationError, match=r"keeps its state in state\.sqlite") as refused:
        open_state(settings)
    assert "Unset WAYBILL_STATE_URL" in refused.value.remedy
    assert not home.marker(settings).exists()


def test_another_home_s_database_is_refused(settings: Settings, tmp_path: Path) -> None:
    open_state(settings)
    with pytest.raises(ConfigurationError, match="it is another home's"):
        open_state(Settings(home=tmp_path / "other", state_url=settings.state_url))


def test_another_database_is_refused_new_or_used(
    settings: Settings, tmp_path: Path, postgres: Server
) -> None:
    open_state(settings)
    with postgres.database() as url:
        with pytest.raises(ConfigurationError, match="it is new, and the home has one already"):
            open_state(Settings(home=settings.home, state_url=url))
        open_state(Settings(home=tmp_path / "other", state_url=url))
        with pytest.raises(ConfigurationError, match="it is another home's"):
            open_state(Settings(home=settings.home, state_url=url))
    open_state(settings)


@pytest.mark.parametrize("committed", [True, False])
def test_a_process_that_ended_while_it_bound_them_keeps_nobody_out(
    settings: Settings, tmp_path: Path, committed: bool
) -> None:
    if committed:
        open_state(settings)
        home.marker(settings).rename(home.marker(settings).with_suffix(".new"))
    else:
        settings.root.mkdir()
        home.marker(settings).with_suffix(".new").write_text("ab" * 16)
    open_state(settings)
    assert home.has_state(settings)
    open_state(settings)
    with pytest.raises(ConfigurationError):
        open_state(Settings(home=tmp_path / "other", state_url=settings.state_url))


@pytest.mark.parametrize(
    "address",
    [
        "mysql://anna:s3cret@host/db",
        "postgresql://anna:s3cret@host",
        "s3cret",
        "postgresql://anna:s3cret@host:x/db",
    ],
)
def test_what_is_no_database_is_refused_without_repeating_it(tmp_path: Path, address: str) -> None:
    settings = Settings(home=tmp_path, state_url=SecretStr(address))
    with pytest.raises(ConfigurationError, match="WAYBILL_STATE_URL") as refused:
        open_state(settings)
    assert "s3cret" not in f"{refused.value} {refused.value.__cause__} {settings!r}"


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    address = SecretStr(f"postgresql://anna:s3cret@/db?host={tmp_path}&password=s3cret")
    with pytest.raises(ConfigurationError, match="cannot be used") as refused:
        open_state(Settings(home=tmp_path, state_url=address))
    assert "s3cret" not in f"{refused.value} {refused.value.__cause__}"
    assert home.where(Settings(home=tmp_path, state_url=address)) == f"postgresql://{tmp_path}/db"


@pytest.mark.parametrize(
    ("name", "value"), [("synchronous_commit", "off"), ("default_transaction_read_only", "on")]
)
def test_a_server_that_may_lose_what_was_committed_is_refused(
    settings: Settings, name: str, value: str
) -> None:
    open_state(settings).dispose()
    url = url_of(settings)
    assert url is not None
    with create_engine(url).begin() as db:
        db.execute(text(f'ALTER DATABASE "{url.database}" SET {name} = {value}'))
    with pytest.raises(ConfigurationError, match=f"{name.removeprefix('default_')} = {value}"):
        open_state(settings)
    with create_engine(url).begin() as db:
        db.execute(text("SET TRANSACTION READ WRITE"))
        db.execute(text(f'ALTER DATABASE "{url.database}" RESET {name}'))
    open_state(settings)
