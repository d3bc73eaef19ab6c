"""What a keeper runs ends when its owner is gone, with everything that it started; and not before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import IO

import psutil
import pytest

from core.settings import ROOT

KEEPER = [sys.executable, "-m", "cli.keeper"]
DEAF = "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); print('up', flush=True); signal.pause()"
PARENT = f"import signal, subprocess, sys; subprocess.Popen([sys.executable, '-c', {DEAF!r}]); signal.pause()"
OWNER = (
    "import signal, subprocess, sys; subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True); "
    "signal.pause()"
)
LONGEST_S = 60


def started(words: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )


def first_line(process: subprocess.Popen[bytes]) -> bytes:
    out: IO[bytes] | None = process.stdout
    assert out is not None
    return out.readline()


@pytest.fixture
def spare() -> Iterator[list[psutil.Process]]:
    """Processes of this test, ended after it whatever it found."""
    mine: list[psutil.Process] = []
    yield mine
    for each in mine:
        if each.is_running():
            each.kill()


@pytest.mark.parametrize("code", [0, 3])
def test_the_command_s_own_end_is_passed_on(code: int) -> None:
    kept = started([*KEEPER, sys.executable, "-c", f"raise SystemExit({code})"])
    kept.wait(timeout=LONGEST_S)
    assert kept.returncode == code


def test_a_command_that_was_killed_is_told() -> None:
    kept = started([*KEEPER, sys.executable, "-c", DEAF])
    assert first_line(kept) == b"up\n"
    (command,) = psutil.Process(kept.pid).children()
    command.kill()
    kept.wait(timeout=LONGEST_S)
    assert kept.returncode == 128 + 9


def test_what_was_started_ends_when_the_owner_lets_go(spare: list[psutil.Process]) -> None:
    kept = started([*KEEPER, sys.executable, "-c", PARENT])
    assert first_line(kept) == b"up\n"
    below = psutil.Process(kept.pid).children(recursive=True)
    spare += below
    assert len(below) == 2
    assert all(each.is_running() for each in below)
    assert kept.stdin is not None
    kept.stdin.close()
    kept.wait(timeout=LONGEST_S)
    _, alive = psutil.wait_procs(below, timeout=LONGEST_S)
    assert alive == []


def test_what_was_started_ends_when_the_owner_is_killed(spare: list[psutil.Process]) -> None:
    owner = started([sys.executable, "-c", OWNER, *KEEPER, sys.executable, "-c", PARENT])
    assert first_line(owner) == b"up\n"
    below = psutil.Process(owner.pid).children(recursive=True)
    spare += below
    assert len(below) == 3
    owner.kill()
    owner.wait()
    _, alive = psutil.wait_procs(below, timeout=LONGEST_S)
    assert alive == []
