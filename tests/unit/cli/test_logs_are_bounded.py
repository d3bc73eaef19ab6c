"""A server's log is its owner's alone, and does not grow for ever."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path

from cli.logs import copy
from core.settings import ROOT

KEEPER = [sys.executable, "-m", "cli.keeper", "--log"]
LINE = b"a request of forty bytes, as it is told\n"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_it_is_turned_over_at_its_size_and_the_oldest_goes(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    copy(io.BytesIO(LINE * 100), log, most_bytes=10 * len(LINE), kept=2)
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == ["api.log", "api.log.1", "api.log.2"]
    assert all(each.stat().st_size <= 10 * len(LINE) and mode(each) == 0o600 for each in files)
    assert all(set(each.read_bytes().splitlines(keepends=True)) == {LINE} for each in files), "no line is cut"


def test_one_that_stays_below_is_one_file_and_is_added_to(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_bytes(b"before\n")
    log.chmod(0o644)
    copy(io.BytesIO(LINE), log, most_bytes=1000, kept=2)
    assert [each.name for each in tmp_path.iterdir()] == ["api.log"]
    assert log.read_bytes() == b"before\n" + LINE and mode(log) == 0o600


def test_bytes_that_are_no_text_and_lines_without_an_end_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    copy(io.BytesIO(b"\xff\n" + b"x" * 200_000), log)
    assert log.read_text(encoding="utf-8").replace("\n", "") == "\ufffd" + "x" * 200_000


def test_a_keeper_writes_what_its_command_says_to_its_last_word(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    says = "import sys; print('out'); print('err', file=sys.stderr); raise SystemExit(3)"
    kept = subprocess.Popen(
        [*KEEPER, str(log), sys.executable, "-c", says], cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True
    )  # fmt: skip
    assert kept.wait(timeout=60) == 3
    assert sorted(log.read_text(encoding="utf-8").split()) == ["err", "out"] and mode(log) == 0o600


def test_also_when_its_owner_lets_go(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    says = (
        "import signal\n"
        "def end(*_): print('the end', flush=True); raise SystemExit\n"
        "signal.signal(signal.SIGINT, end); print('up', flush=True); signal.pause()"
    )
    kept = subprocess.Popen(
        [*KEEPER, str(log), sys.executable, "-c", says], cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True
    )  # fmt: skip
    while not log.exists() or "up" not in log.read_text(encoding="utf-8"):
        assert kept.poll() is None
        time.sleep(0.02)
    assert kept.stdin is not None
    kept.stdin.close()
    kept.wait(timeout=60)
    assert log.read_text(encoding="utf-8").splitlines() == ["up", "the end"]
