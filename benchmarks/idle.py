"""What waiting costs: ``python -m benchmarks.idle --seconds 60``.

A small home that was run once, and over it the API and the worker as ``waybill up`` starts them, each below its keeper. Once
both are ready and have settled, nobody sends anything, and the CPU time of each is taken over so many seconds: user and
system time of the process and of its keeper, as the kernel counts them. Other work on the machine changes little of it.

Prints a table on stderr and one JSON document on stdout: seconds of CPU, and the share of one core.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from cli.services import Services, answers, services, wait_until
from core.settings import Settings, get_settings
from state import inbox
from state.engine import open_state
from tests.support.sandbox import running_sandbox

_PATIENCE_S = 600.0
_SETTLING_S = 10.0


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--orders", type=int, default=120)
    parser.add_argument("--port", type=int, default=8691)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with running_sandbox(home, orders=given.orders) as outside:
            os.environ.update(outside.env | {"WAYBILL_HOME": str(home)})
            document = _measure(get_settings(), given.seconds, given.port)
    _show(document)
    print(json.dumps(document, indent=2))
    return 0


def _measure(settings: Settings, seconds: float, port: int) -> dict[str, Any]:
    from orchestration.run import run_once

    run_once(settings)
    url = f"http://127.0.0.1:{port}"
    commands = {
        "api": [sys.executable, "-m", "api", "--port", str(port)],
        "worker": [sys.executable, "-m", "orchestration.worker"],
    }
    settings.worker_note.unlink(missing_ok=True)
    with services(settings, commands) as children:
        wait_until(children, "The API", lambda: answers(f"{url}/healthz"), _PATIENCE_S)
        wait_until(children, "The worker", settings.worker_note.exists, _PATIENCE_S)
        time.sleep(_SETTLING_S)
        before, started = _cpu_s(children), time.monotonic()
        time.sleep(seconds)
        after, wall_s = _cpu_s(children), time.monotonic() - started
    if inbox.waiting(open_state(settings)):
        raise RuntimeError("messages wait: it was not idle")
    used = {name: after[name] - before[name] for name in commands}
    return {
        "idle_s": round(wall_s, 1),
        "cores": os.cpu_count(),
        "cpu_s": {name: round(each, 2) for name, each in used.items()},
        "share_of_a_core": {name: round(each / wall_s, 4) for name, each in used.items()},
    }


def _cpu_s(children: Services) -> dict[str, float]:
    """By service: user and system time so far of its keeper and of all below that."""
    found: dict[str, float] = {}
    for name, child in children.items():
        keeper = psutil.Process(child.pid)
        times = [each.cpu_times() for each in (keeper, *keeper.children(recursive=True))]
        found[name] = sum(each.user + each.system for each in times)
    return found


def _show(document: dict[str, Any]) -> None:
    table = Table(title=f"{document['idle_s']:g} s in which nobody sends anything")
    for column in ("", "CPU seconds", "share of a core"):
        table.add_column(column, justify="right" if column else "left")
    for name, share in document["share_of_a_core"].items():
        table.add_row(name, f"{document['cpu_s'][name]:.2f}", f"{share:.2%}")
    Console(stderr=True).print(table)


if __name__ == "__main__":
    sys.exit(main())
