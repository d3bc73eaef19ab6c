"""Faults 28 and 30: a writer of the warehouse is killed again and again, or its log is torn; no loaded row is lost."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion.run import ensure_warehouse
from state.engine import open_state
from tests.support.deaths import (
    consignment,
    ended,
    killed_after,
    leave_an_unreadable_log,
    make_sure_of_it,
    read_and_die,
    read_in_company_and_die,
    read_whole,
)
from tests.support.tables import differences
from tests.support.vendors import Vendors, vendors

KILLS = int(os.environ.get("WAYBILL_KILLS", "20"))
APART = {"*": ("run_id", "ingested_at", "trace_id", "_dlt_load_id", "_dlt_id")}
CONSIGNMENTS = [consignment(number) for number in range(1, 41)]
TEARS: dict[str, Callable[[bytes], bytes]] = {
    "cut in the middle": lambda log: log[: len(log) // 2],
    "zeroed": lambda log: bytes(len(log)),
    "zeroed from the middle on": lambda log: log[: len(log) // 2] + bytes(len(log) - len(log) // 2),
}


@pytest.fixture(scope="module")
def told() -> Iterator[Vendors]:
    with vendors() as told:
        yield told


@pytest.fixture(scope="module")
def clean(told: Vendors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with 40 consignments and their lines; a copy of it with the first 20 lies in ``first``."""
    home = tmp_path_factory.mktemp("clean")
    told.lists["consignments"] = CONSIGNMENTS[:20]
    read_whole(home, told.url, "run-1")
    shutil.copytree(home, home / "first")
    told.lists["consignments"] = list(CONSIGNMENTS)
    read_whole(home, told.url, "run-2")
    return home


@pytest.fixture(scope="module")
def with_log(told: Vendors, clean: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose last rows are in the log of the warehouse only, since the process that merged them was killed."""
    told.lists["consignments"] = list(CONSIGNMENTS)
    home = tmp_path_factory.mktemp("log") / "home"
    shutil.copytree(clean / "first", home)
    assert ended(read_and_die, home, told.url, "merged, the warehouse still open") == -signal.SIGKILL
    assert log_of(home).stat().st_size > 4_000
    return home


def log_of(home: Path) -> Path:
    return home / "warehouse.duckdb.wal"


def unlike(home: Path, clean: Path) -> dict[str, list[str]]:
    one, other = Settings(home=home), Settings(home=clean)
    return differences(one.warehouse, other.warehouse, APART, ["raw_dispatch"])


def vouched_for(home: Path) -> list[tuple[Any, ...]]:
    """Consignments and lines of completed loads: what staging reads."""
    with open_warehouse(Settings(home=home), "test") as warehouse:
        return [
            row
            for table in ("consignments", "consignment_lines")
            for row in warehouse.execute(
                f"SELECT count(*) FROM raw_dispatch.{table} WHERE _dlt_load_id IN "
                "(SELECT load_id FROM raw_dispatch._dlt_loads WHERE status = 0)"
            ).fetchall()
        ]


@pytest.mark.parametrize("tear", TEARS)
def test_30_with_a_torn_log_the_rerun_equals_a_clean_run(
    told: Vendors, clean: Path, with_log: Path, tmp_path: Path, tear: str
) -> None:
    home = tmp_path / "home"
    shutil.copytree(with_log, home)
    log_of(home).write_bytes(TEARS[tear](log_of(home).read_bytes()))
    told.lists["consignments"] = []  # the source does not tell again what it has told
    read_whole(home, told.url, "run-again")
    assert vouched_for(home) == [(40,), (80,)]
    assert unlike(home, clean) == {}


@pytest.fixture
def made(told: Vendors, clean: Path, tmp_path: Path) -> Path:
    """A home whose last load was made, and is in the log of the warehouse only."""
    told.lists["consignments"] = list(CONSIGNMENTS)
    home = tmp_path / "home"
    shutil.copytree(clean / "first", home)
    assert ended(read_in_company_and_die, home, told.url) == -signal.SIGKILL
    told.lists["consignments"] = []  # the source does not tell again what it has told
    return home


@pytest.mark.parametrize(
    ("tear", "why"), [*zip(TEARS, ("is not there", "is not there", "checksum"), strict=True)]
)
def test_30_a_log_that_lost_a_load_which_was_made_is_told_and_all_is_rebuilt(
    told: Vendors, clean: Path, made: Path, caplog: pytest.LogCaptureFixture, tear: str, why: str
) -> None:
    log_of(made).write_bytes(TEARS[tear](log_of(made).read_bytes()))
    read_whole(made, told.url, "run-again")
    assert list(made.glob("warehouse.damaged-*"))
    assert why in next(each.message for each in caplog.records if "the warehouse is damaged" in each.message)
    assert (vouched_for(made), unlike(made, clean)) == ([(40,), (80,)], {})


def test_30_a_whole_log_after_a_load_that_was_made_is_read(told: Vendors, clean: Path, made: Path) -> None:
    read_whole(made, told.url, "run-again")
    assert not list(made.glob("*.damaged-*"))
    assert unlike(made, clean) == {}


def test_30_without_the_look_for_a_gap_the_lost_rows_stay_lost(
    told: Vendors, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the file opens as if nothing were missing."""
    monkeypatch.setattr("ingestion.warehouse.gap", lambda *_: None)
    log_of(made).write_bytes(b"")
    read_whole(made, told.url, "run-again")
    assert vouched_for(made) == [(20,), (40,)]


def test_30_a_log_without_its_warehouse_is_set_aside(
    told: Vendors, clean: Path, with_log: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(with_log, home)
    Settings(home=home).warehouse.unlink()
    told.lists["consignments"] = []  # the source does not tell again what it has told
    read_whole(home, told.url, "run-again")
    assert list(home.glob("warehouse.duckdb*.damaged-*"))
    assert (vouched_for(home), unlike(home, clean)) == ([(40,), (80,)], {})


def test_28_killed_in_commits_and_ddl_the_warehouse_opens_or_is_rebuilt(clean: Path, tmp_path: Path) -> None:
    home, chance = tmp_path / "home", random.Random(28)
    shutil.copytree(clean, home)
    settings = Settings(home=home)
    engine = open_state(settings)
    for _ in range(KILLS):
        last = killed_after(home, chance.randint(1, 12))
        aside = len(list(home.glob("*.damaged-*")))
        ensure_warehouse(settings, engine)
        assert unlike(home, clean) == {}
        assert vouched_for(home) == [(40,), (80,)]
        if len(list(home.glob("*.damaged-*"))) == aside:
            with open_warehouse(settings, "test") as warehouse:
                turns = warehouse.execute("SELECT max(turn), count(*) FROM main.turns").fetchone()
                warehouse.execute("DROP TABLE main.turns")
            assert turns is not None
            assert turns[0] == turns[1] >= last


def test_28_killed_after_ddl_that_no_log_can_hold_it_is_set_aside_and_rebuilt(
    clean: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(clean, home)
    assert ended(leave_an_unreadable_log, home) == -signal.SIGKILL
    make_sure_of_it(home)
    assert [each.name for each in home.glob("warehouse.damaged-*")]
    assert (vouched_for(home), unlike(home, clean)) == ([(40,), (80,)], {})


def test_28_what_another_process_has_open_is_not_taken_for_damaged(clean: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(clean, home)
    with duckdb.connect(str(Settings(home=home).warehouse)):
        assert ended(make_sure_of_it, home) == 1
    assert not list(home.glob("*.damaged-*"))
    assert unlike(home, clean) == {}
