"""``waybill up`` ends with everything it started, also when it is killed outright."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx
import psutil
import pytest
import stamina

from core.settings import ROOT

LONGEST_S = 120
PARTS = (
    "sandbox",
    "-m dashboard",
    "-m api",
    "dagster dev",
    "dagster_webserver",
    "dagster._daemon",
    "code-server",
)


class NotYet(Exception):
    """Something does not answer yet."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@stamina.retry(on=(NotYet, httpx.HTTPError), attempts=None, timeout=LONGEST_S, wait_initial=0.2, wait_max=1)
def wait_until_up(up: subprocess.Popen[bytes], urls: list[str], log: Path) -> list[psutil.Process]:
    """Everything below, once all of it is there and answers."""
    assert up.poll() is None, log.read_text(encoding="utf-8")
    for url in urls:
        httpx.get(url).raise_for_status()
    below = psutil.Process(up.pid).children(recursive=True)
    told = " | ".join(" ".join(each.cmdline()) for each in below)
    if missing := [part for part in PARTS if part not in told]:
        raise NotYet(f"{missing} not in {told}")
    return below


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    # With something published there is no first run, which is not what is tried here.
    serving = tmp_path / "serving" / "marts.duckdb"
    serving.parent.mkdir()
    duckdb.connect(str(serving)).close()
    dagster, dashboard, api = free_port(), free_port(), free_port()
    words = ["up", "--orders", "120", "--base-port", "0"]
    ports = ["--dagster-port", str(dagster), "--dashboard-port", str(dashboard), "--api-port", str(api)]
    log = tmp_path / "up.log"
    with log.open("wb") as written:
        up = subprocess.Popen(
            [sys.executable, "-m", "cli", *words, *ports],
            cwd=ROOT,
            env={**os.environ, "WAYBILL_HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            start_new_session=True,
        )
    below: list[psutil.Process] = []
    try:
        urls = [f"http://127.0.0.1:{dagster}/server_info", f"http://127.0.0.1:{dashboard}/healthz"]
        urls += [f"http://127.0.0.1:{api}/healthz"]
        below = wait_until_up(up, urls, log)
        yield up, below
    finally:
        for each in [*(psutil.Process(up.pid).children(recursive=True) if up.poll() is None else []), *below]:
            if each.is_running():
                each.kill()
        if up.poll() is None:
            up.kill()
        up.wait()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "asked"])
def test_nothing_outlives_it(
    running: tuple[subprocess.Popen[bytes], list[psutil.Process]], how: signal.Signals
) -> None:
    up, below = running
    assert len(below) > len(PARTS)
    up.send_signal(how)
    up.wait(timeout=LONGEST_S)
    _, alive = psutil.wait_procs(below, timeout=LONGEST_S)
    assert [" ".join(each.cmdline()) for each in alive] == []
