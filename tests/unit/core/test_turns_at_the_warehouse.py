"""Whoever waits for the warehouse comes before the one that had it, however soon that one wants it again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from core.errors import TransientFailure
from core.settings import Settings
from core.warehouse import is_waited_for, writer_lock

PATIENCE_S = 120.0
WAITER = """
import sys
from pathlib import Path
from core.settings import Settings
from core.warehouse import writer_lock
with writer_lock(Settings(home=Path(sys.argv[1])), "waiter"), open(sys.argv[2], "a") as turns:
    turns.write("waiter ")
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@contextmanager
def waiter(settings: Settings, turns: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that waits for the lock, which this one holds."""
    with subprocess.Popen([sys.executable, "-c", WAITER, str(settings.home), str(turns)]) as process:
        until(lambda: is_taken(settings))
        yield process


def is_taken(settings: Settings) -> bool:
    try:
        with FileLock(settings.root / "warehouse.next").acquire(timeout=0):
            return False
    except Timeout:
        return True


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def turn(settings: Settings, turns: Path, name: str) -> None:
    with writer_lock(settings, name), turns.open("a") as file:
        file.write(f"{name} ")


def test_who_waits_comes_before_who_comes_back(settings: Settings, tmp_path: Path) -> None:
    turns = tmp_path / "turns"
    with ExitStack() as waits:
        with writer_lock(settings, "builder"):
            turns.write_text("first ")
            process = waits.enter_context(waiter(settings, turns))
        for _ in range(3):
            turn(settings, turns, "again")
    assert process.returncode == 0
    assert turns.read_text().split() == ["first", "waiter", "again", "again", "again"]


def test_who_has_it_can_tell_whether_somebody_waits(settings: Settings, tmp_path: Path) -> None:
    with writer_lock(settings, "builder"):
        assert not is_waited_for(settings)
        with waiter(settings, tmp_path / "turns") as process:
            assert is_waited_for(settings)
            process.kill()
        assert not is_waited_for(settings), "the dead wait for nothing"


def test_nobody_gives_way_to_the_dead(settings: Settings, tmp_path: Path) -> None:
    turns = tmp_path / "turns"
    with writer_lock(settings, "builder"), waiter(settings, turns) as process:
        process.kill()
    turn(settings, turns, "again")
    assert turns.read_text().split() == ["again"]


def test_who_has_it_takes_it_again_whoever_waits(settings: Settings, tmp_path: Path) -> None:
    turns = tmp_path / "turns"
    with writer_lock(settings, "builder"), waiter(settings, turns) as process:
        turn(settings, turns, "inside")
        process.kill()
    assert turns.read_text().split() == ["inside"]


def test_who_waited_long_enough_is_told_for_whom(settings: Settings, tmp_path: Path) -> None:
    holder = "with writer_lock(Settings(home=Path(sys.argv[1])), 'holder'):\n    print('has it', flush=True)\n    sys.stdin.read()"
    code = WAITER.split("with writer_lock", maxsplit=1)[0] + holder
    with subprocess.Popen(
        [sys.executable, "-c", code, str(settings.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stdin and process.stdout.readline()
        with pytest.raises(TransientFailure, match="held by holder"), writer_lock(settings, "late", 0.0):
            pass
        process.stdin.close()
    turn(settings, tmp_path / "turns", "then")
