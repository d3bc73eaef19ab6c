"""Starting and ending the sandbox as the separate program it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.errors import WaybillError
from core.settings import ROOT, Settings

DEFAULT_SECRETS = {
    "SANDBOX_ERP_API_KEY": "sandbox-erp-key",
    "SANDBOX_ERP_API_SECRET": "sandbox-erp-secret",
    "SANDBOX_DISPATCH_TOKEN": "sandbox-dispatch-token",
    "SANDBOX_TELEMATICS_TOKEN": "sandbox-telematics-token",
    "SANDBOX_POD_API_KEY": "sandbox-pod-key",
    "SANDBOX_DEPOT_POD_TOKEN": "sandbox-depot-pod-token",
    "SANDBOX_WMS_TOKEN": "sandbox-wms-token",
    "SANDBOX_TMS_TOKEN": "sandbox-tms-token",
}
_STOP_TIMEOUT_S = 10


@dataclass(frozen=True)
class World:
    """Which world: how the sandbox is seeded and sized."""

    seed: int
    orders: int
    base_port: int
    speed: float = 1.0


@contextmanager
def sandbox(settings: Settings, world: World, meanwhile: Callable[[], None]) -> Iterator[dict[str, str]]:
    """Run the sandbox while the block runs; yields what it said when ready (URLs, go-live, truth).

    ``meanwhile`` is done while the sandbox makes its world.

    The environment of this process gets the URLs and the sandbox's own secrets, so that connections and
    child processes find them. WaybillError when it does not come up.
    """
    log = settings.root / "logs" / "sandbox.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors:
        process = subprocess.Popen(
            _command(settings.root, world),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            meanwhile()
            ready = _ready(process, log)
            _export(ready)
            yield ready
        finally:
            _stop(process)


def _command(home: Path, world: World) -> list[str]:
    return [
        sys.executable,
        "-m",
        "sandbox",
        "--home",
        str(home),
        "--seed",
        str(world.seed),
        "--orders",
        str(world.orders),
        "--base-port",
        str(world.base_port),
        "--speed",
        str(world.speed),
        # Ends by itself if this process is killed outright.
        "--with-parent",
    ]


def _ready(process: subprocess.Popen[bytes], log: Path) -> dict[str, str]:
    """The one line the sandbox prints when all its servers answer."""
    stdout: IO[bytes] | None = process.stdout
    line = stdout.readline() if stdout else b""
    if not line:
        process.wait(timeout=_STOP_TIMEOUT_S)
        told = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise WaybillError(
            f"The sandbox did not start: {told[-1] if told else 'no output'}",
            remedy=f"Read {log}; a port in use is the usual cause.",
        )
    ready: dict[str, str] = json.loads(line)
    return ready


def _export(ready: dict[str, str]) -> None:
    for system in ("erp", "dispatch", "telematics", "pod", "depot_pod", "wms", "tms"):
        os.environ[f"SANDBOX_{system.upper()}_URL"] = str(ready[system])
    for variable, word in (("GO_LIVE_AT", "go_live_at"), ("NOW", "now"), ("DROP", "drop")):
        os.environ[f"SANDBOX_{variable}"] = str(ready[word])
    for name, value in DEFAULT_SECRETS.items():
        os.environ.setdefault(name, value)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, then SIGKILL: nothing stays behind, whatever interrupted us."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
