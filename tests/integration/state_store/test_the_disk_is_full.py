"""Fault 29: the disk of the home is full. What is said names the disk and the remedy, what was acknowledged is there
afterwards, and work goes on once there is room. On a real file system that has no room left, see ``tests.support.full_disk``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import text

from core.disk import DiskFull, is_full, told_when_full
from core.settings import ROOT, Settings
from core.warehouse import open_warehouse
from ingestion.run import ensure_warehouse
from state import heads, ledger
from state.engine import open_state, reading
from tests.support.deaths import consignment, read_whole
from tests.support.full_disk import SmallDisk, on_a_small_disk
from tests.support.tables import differences
from tests.support.vendors import Vendors, vendors

ROOMS = range(0, 120, 6)
"""KiB that are left: from none over too little for SQLite's log to some commits."""
APART = {"*": ("run_id", "ingested_at", "trace_id", "_dlt_load_id", "_dlt_id")}
CONSIGNMENTS = [consignment(number) for number in range(1, 41)]


def append_for_ever(settings: Settings, said: Any) -> None:
    """Acknowledge row after row of the ledger, each signed; ends with whatever the disk makes of it."""
    engine = open_state(settings)
    try:
        while True:
            with heads.signed_after(settings, engine):
                with engine.begin() as db:
                    ledger.append(db, "test", "anna", "k", {"x": "y" * 2000})
                said()
    finally:
        engine.dispose()


def fill_the_state(disk: SmallDisk) -> dict[str, Any]:
    """Fill the disk again and again, work until it is full, make room, and see what is there."""
    settings = Settings(home=disk.root / "home")
    open_state(settings).dispose()
    acknowledged, told, wrong = 0, [], []

    def said() -> None:
        nonlocal acknowledged
        acknowledged += 1

    for room in ROOMS:
        disk.leave(room)
        try:
            append_for_ever(settings, said)
        except DiskFull as error:
            told.append(str(error))
        disk.make_room()
        engine = open_state(settings)
        heads.sign(settings, engine)
        found, kept = ledger.verify(engine), of_the_test(settings)
        bad = heads.problems(engine, heads.read(settings.ledger_heads))
        if found.problem or bad or kept != acknowledged:
            wrong.append([room, found.problem, bad, acknowledged, kept])
        engine.dispose()
    return {"acknowledged": acknowledged, "told": told, "wrong": wrong, "root": str(settings.root)}


def of_the_test(settings: Settings) -> int:
    engine = open_state(settings)
    with reading(engine) as db:
        rows: int = db.scalar(text("SELECT count(*) FROM ledger WHERE event = 'test'"))
    engine.dispose()
    return rows


def test_29_the_state_on_a_full_disk_says_so_and_keeps_what_it_acknowledged() -> None:
    found = on_a_small_disk(fill_the_state, 3072)
    assert found["wrong"] == []
    assert found["acknowledged"] > len(ROOMS)
    assert len(found["told"]) == len(ROOMS)
    for each in found["told"]:
        assert each.startswith(f"The disk that holds {found['root']} is full:")
        assert "Remedy: Make room on it, then run again" in each


def kill_on_a_full_disk(disk: SmallDisk) -> list[int]:
    """A process that meets the full disk and is killed there; the rows that it said, and those that are kept."""
    settings = Settings(home=disk.root / "home")
    open_state(settings).dispose()
    disk.leave(64)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            append_for_ever(settings, lambda: os.write(write_end, b"."))
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.close(write_end)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    disk.make_room()
    return [len(os.read(read_end, 10_000)), of_the_test(settings)]


def test_29_killed_on_a_full_disk_nothing_that_was_acknowledged_is_missing() -> None:
    said, kept = on_a_small_disk(kill_on_a_full_disk, 3072)
    assert said == kept > 0


def fill_the_warehouse(disk: SmallDisk) -> dict[str, Any]:
    """Commit into the warehouse until the disk is full, open it there, make room, open it again."""
    settings = Settings(home=disk.root / "home")
    engine = open_state(settings)
    ensure_warehouse(settings, engine)
    told, counts = [], []
    for room in (1000, 3000):
        disk.leave(room)
        turns, error = change_until_full(settings)
        told.append(error)
        disk.leave(0)
        try:
            ensure_warehouse(settings, engine)
        except DiskFull as full:
            told.append(str(full))
        disk.make_room()
        ensure_warehouse(settings, engine)
        with open_warehouse(settings, "test") as warehouse:
            found = warehouse.execute("SELECT max(turn), count(*) FROM main.turns").fetchone()
            warehouse.execute("DROP TABLE main.turns")
        counts.append([turns, *(found or ())])
    aside = [each.name for each in settings.root.glob("*damaged*")]
    return {"told": told, "counts": counts, "aside": aside, "root": str(settings.root)}


def change_until_full(settings: Settings) -> tuple[int, str]:
    """How many commits were acknowledged, and what ended them."""
    turn = 0
    try:
        with open_warehouse(settings, "test") as warehouse:
            warehouse.execute("CREATE TABLE main.turns (turn BIGINT)")
            while True:
                warehouse.execute("BEGIN")
                warehouse.execute("INSERT INTO main.turns VALUES (?)", [turn + 1])
                warehouse.execute(
                    "CREATE OR REPLACE TABLE main.built AS SELECT range, hash(range + ?) FROM range(20000)",
                    [turn],
                )
                warehouse.execute("COMMIT")
                turn += 1
    except DiskFull as error:
        return turn, str(error)


def test_29_the_warehouse_on_a_full_disk_says_so_and_is_not_taken_for_damaged() -> None:
    found = on_a_small_disk(fill_the_warehouse, 24 * 1024)
    assert found["aside"] == []
    assert len(found["told"]) == 4
    assert all(each.startswith(f"The disk that holds {found['root']} is full:") for each in found["told"])
    for acknowledged, last, rows in found["counts"]:
        assert last == rows == acknowledged > 0


def read_on_a_full_disk(disk: SmallDisk, url: str, first: str, clean: str) -> list[list[Any]]:
    """Read the second twenty consignments with ever more room, then again with all of it; where that went wrong."""
    seen = []
    for room in (0, 60, 90, 120, 260, 2000):
        home = disk.root / "home"
        shutil.copytree(first, home)
        disk.leave(room)
        how = "read"
        try:
            read_whole(home, url, "full")
        except DiskFull:
            how = "full"
        aside = [each.name for each in home.glob("*damaged*")]
        disk.make_room()
        read_whole(home, url, "later")
        unlike = differences(
            Settings(home=home).warehouse, Settings(home=Path(clean)).warehouse, APART, ["raw_dispatch"]
        )
        seen.append([how, aside, unlike])
        shutil.rmtree(home)
    return seen


@pytest.fixture(scope="module")
def told() -> Any:
    with vendors() as told:
        yield told


def test_29_a_reading_that_finds_the_disk_full_is_made_up_for_by_the_next(
    told: Vendors, tmp_path: Path
) -> None:
    first, clean = tmp_path / "first", tmp_path / "clean"
    for home, rows in ((first, CONSIGNMENTS[:20]), (clean, CONSIGNMENTS[:20]), (clean, CONSIGNMENTS)):
        told.lists["consignments"] = list(rows)
        read_whole(home, told.url, "before")
    seen = on_a_small_disk(read_on_a_full_disk, 64 * 1024, told.url, str(first), str(clean))
    assert [each for each in seen if each[1:] != [[], {}]] == []
    assert [seen[0][0], seen[-1][0]] == ["full", "read"]
    assert sum(each[0] == "full" for each in seen) > 3


def ask_on_a_full_disk(disk: SmallDisk) -> list[Any]:
    """A command on a disk that has no room for the store's log; the same with room."""
    settings = Settings(home=disk.root / "home")
    open_state(settings).dispose()
    told = []
    for room in (0, 400):
        disk.leave(room)
        command = [sys.executable, "-m", "cli", "outbox", "list"]
        environment = {**os.environ, "WAYBILL_HOME": str(settings.root)}
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        told.append([ended.returncode, ended.stderr])
    return told


def test_29_a_command_tells_it_in_one_line() -> None:
    (code, said), (later, nothing) = on_a_small_disk(ask_on_a_full_disk, 3072)
    assert (code, later, nothing) == (1, 0, "")
    assert said.startswith("waybill: The disk that holds ")
    assert "Traceback" not in said and "Make room" in said


def test_another_failure_of_the_disk_is_not_told_as_a_full_one(tmp_path: Path) -> None:
    (tmp_path / "warehouse.duckdb").write_bytes(b"no database" * 1000)
    with pytest.raises(duckdb.Error), told_when_full(tmp_path):
        duckdb.connect(str(tmp_path / "warehouse.duckdb"))
    broken = OSError(5, "Input/output error")
    assert not is_full(broken, tmp_path)
    assert is_full(OSError(28, "No space left on device"), tmp_path)


def test_29_a_postgresql_server_without_room_is_named(postgres: Any, tmp_path: Path) -> None:
    with postgres.database() as url:
        engine = open_state(Settings(home=tmp_path, state_url=url))
        full = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
        with pytest.raises(DiskFull, match="state's PostgreSQL server is full"), engine.begin() as db:
            db.execute(text(full))
        engine.dispose()
