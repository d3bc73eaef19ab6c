"""Scheduled runs beside what is measured: a process of its own does what the schedule does every hour."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from core.settings import ROOT, Settings


@contextmanager
def runs_beside(settings: Settings, *, wanted: bool) -> Iterator[list[float]]:
    """Scheduled runs while the block runs, one after the other; the seconds of each that ended, and of the last one so far.

    RuntimeError when one of them failed.
    """
    seconds: list[float] = []
    codes: list[int] = []
    stop = threading.Event()
    underway: list[subprocess.Popen[bytes]] = []

    def work() -> None:
        while not stop.is_set():
            began = time.monotonic()
            with (settings.root / "logs" / "runs.log").open("ab") as log:
                command = [sys.executable, "-m", "cli", "run"]
                underway.append(subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log))
            code = underway[-1].wait()
            seconds.append(round(time.monotonic() - began, 1))
            if not stop.is_set():
                codes.append(code)

    thread = threading.Thread(target=work)
    if wanted:
        thread.start()
    try:
        yield seconds
    finally:
        stop.set()
        if wanted:
            for each in underway:
                each.terminate()
            thread.join()
    if any(codes):
        raise RuntimeError(f"a run failed; {settings.root}/logs/runs.log says why")
