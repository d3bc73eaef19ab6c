"""A sandbox for the length of a test, on free ports, as the separate program it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.launch import ready, start
from sandbox.servers.access import DEFAULTS

SYSTEMS = ("erp", "dispatch", "telematics", "pod", "depot_pod", "wms", "tms")


@dataclass(frozen=True)
class Running:
    """``endpoints``: what the sandbox printed. ``env``: what a platform process needs to reach it."""

    home: Path
    endpoints: dict[str, Any]
    env: dict[str, str]
    pid: int

    def url(self, system: str) -> str:
        return str(self.endpoints[system])


@contextmanager
def running_sandbox(home: Path, orders: int = 120, seed: int = 7, speed: float = 1.0) -> Iterator[Running]:
    """Build the world if absent, run the servers while the block runs, end them after it."""
    process = start(home, seed=seed, orders=orders, base_port=0, speed=speed)
    try:
        endpoints = ready(process)
        assert endpoints is not None, f"the sandbox ended with {process.returncode}; its error is on stderr"
        urls = {f"SANDBOX_{system.upper()}_URL": str(endpoints[system]) for system in SYSTEMS}
        told = {f"SANDBOX_{name.upper()}": str(endpoints[name]) for name in ("go_live_at", "now", "drop")}
        env = {**urls, **told, **DEFAULTS}
        yield Running(home, endpoints, env, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=15)
        if process.stdout:
            process.stdout.close()
