"""Waybill's own servers as children of a command: started under keepers, watched, ended together.

Belongs here: processes. Which servers a command needs is its own business.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import httpx

from cli.keeper import STOP_TIMEOUT_S
from core.errors import WaybillError
from core.settings import ROOT, Settings

Children = Mapping[str, subprocess.Popen[bytes]]


class Services(dict[str, "subprocess.Popen[bytes]"]):
    """Commands under keepers, by name, their output in logs/ of the home, which the keepers write (``logs``)."""

    def __init__(self, settings: Settings, commands: Mapping[str, Sequence[str]]) -> None:
        from orchestration.run import prepare_instance

        super().__init__()
        self._commands = commands
        self._environment = {
            **os.environ,
            "DAGSTER_HOME": str(prepare_instance(settings)),
            "WAYBILL_HOME": str(settings.root),
        }
        self._logs = settings.root / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str) -> None:
        """Start one of them; what is left of an earlier one is ended first."""
        if name in self:
            _stop({name: self[name]})
        log = ["--log", str(self._logs / f"{name}.log")]
        self[name] = subprocess.Popen(
            [sys.executable, "-m", "cli.keeper", *log, *self._commands[name]],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )


@contextmanager
def services(settings: Settings, commands: Mapping[str, Sequence[str]]) -> Iterator[Services]:
    """Run each command while the block runs.

    Each has a keeper, which ends it with all it started when this process is gone, killed or not.
    """
    started = Services(settings, commands)
    try:
        for name in commands:
            started.start(name)
        yield started
    finally:
        _stop(started)


def refuse_ended(children: Children) -> None:
    """WaybillError when one of them has ended by itself, which is a failure."""
    for name, child in children.items():
        if child.poll() is not None:
            raise WaybillError(
                f"{name} ended with code {child.returncode}.", remedy=f"Read logs/{name}.log in the home."
            )


def wait_until(children: Children, what: str, is_there: Callable[[], bool], patience_s: float) -> None:
    """Return when ``is_there``; WaybillError when a child has ended, or after ``patience_s`` seconds."""
    until = time.monotonic() + patience_s
    while not is_there():
        refuse_ended(children)
        if time.monotonic() > until:
            raise WaybillError(
                f"{what} was not ready within {patience_s:.0f} s.", remedy="Read logs/ in the home."
            )
        time.sleep(0.2)


def answers(url: str) -> bool:
    """Whether a server answers there."""
    try:
        return httpx.get(url, timeout=5.0).is_success
    except httpx.TransportError:
        return False


def _stop(children: Children) -> None:
    """Tell each keeper by closing its stdin, then kill what is left of its process group."""
    for child in children.values():
        if child.stdin:
            child.stdin.close()
    for child in children.values():
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=STOP_TIMEOUT_S + 5)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
