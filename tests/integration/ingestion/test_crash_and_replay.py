"""What dies between landing and load, and a warehouse that is lost or damaged, cost no row and no cursor."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from core.connections import Connection, load_connections
from core.settings import ROOT, Settings
from core.warehouse import open_warehouse
from ingestion.landing import landed
from ingestion.load import Loader
from ingestion.run import ensure_warehouse, ingest
from state.engine import open_state
from tests.support.sandbox import running_sandbox

FOLDER = ROOT / "connections" / "sandbox"
TABLES = ("trips", "consignments", "consignment_lines", "actions", "vehicles")


@pytest.fixture(scope="module")
def dispatch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    home = tmp_path_factory.mktemp("world")
    with running_sandbox(home, orders=60) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.env.items():
            patch.setenv(name, value)
        yield next(each for each in load_connections(FOLDER) if each.connection == "sandbox_dispatch")


def opened(home: Path) -> tuple[Settings, Engine]:
    settings = Settings(home=home, connections=FOLDER)
    engine = open_state(settings)
    ensure_warehouse(settings, engine)
    return settings, engine


def rows(settings: Settings) -> dict[str, list[Any]]:
    """What is loaded, without what differs between two readings of the same source."""
    with open_warehouse(settings, "test") as warehouse:
        return {
            name: warehouse.execute(
                f"SELECT source_id, source_version, row_hash FROM raw_dispatch.{name} ORDER BY ALL"
            ).fetchall()
            for name in TABLES
        }


def stands(settings: Settings) -> dict[str, str]:
    return Loader(settings, "sandbox_dispatch", "dispatch").cursors()


@pytest.fixture(scope="module")
def clean(dispatch: Connection, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Engine]:
    settings, engine = opened(tmp_path_factory.mktemp("clean"))
    ingest(settings, engine, dispatch, "run-1")
    return settings, engine


class _Killed(BaseException):
    """As if the process ended here."""


def test_a_crash_between_landing_and_load_is_made_good_by_the_next_run(
    dispatch: Connection, clean: tuple[Settings, Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, engine = opened(tmp_path)

    def die(*_: object) -> None:
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(Loader, "load", die)
        with pytest.raises(_Killed):
            ingest(settings, engine, dispatch, "run-1")
    assert any(landed(settings)) and stands(settings) == {}
    assert not any(rows(settings).values())
    ingest(settings, engine, dispatch, "run-2")
    assert rows(settings) == rows(clean[0])
    assert set(stands(settings)) == set(stands(clean[0]))


def test_a_window_read_again_loads_nothing_and_moves_no_cursor(
    dispatch: Connection, clean: tuple[Settings, Engine]
) -> None:
    settings, engine = clean
    before, at = rows(settings), stands(settings)
    with open_warehouse(settings, "test") as warehouse:
        found = warehouse.execute("SELECT max(source_version) FROM raw_dispatch.consignments").fetchone()
    assert found is not None
    counts = ingest(
        settings,
        engine,
        dispatch,
        "run-again",
        (found[0] - timedelta(days=7), found[0] + timedelta(seconds=1)),
    )
    assert sum(each.rows_in for each in counts) > 0
    assert sum(each.loaded for each in counts) == 0
    assert all(each.adds_up for each in counts)
    assert (rows(settings), stands(settings)) == (before, at)


def test_a_deleted_warehouse_is_replayed_with_its_cursors(clean: tuple[Settings, Engine]) -> None:
    settings, engine = clean
    before, at = rows(settings), stands(settings)
    settings.warehouse.unlink()
    ensure_warehouse(settings, engine)
    assert (rows(settings), stands(settings)) == (before, at)


def test_a_damaged_warehouse_is_set_aside_and_rebuilt(clean: tuple[Settings, Engine]) -> None:
    settings, engine = clean
    before, at = rows(settings), stands(settings)
    settings.warehouse.write_bytes(b"not a database" * 1000)
    ensure_warehouse(settings, engine)
    aside = list(settings.warehouse.parent.glob("*.damaged-*"))
    assert [each.read_bytes()[:14] for each in aside] == [b"not a database"]
    assert (rows(settings), stands(settings)) == (before, at)
