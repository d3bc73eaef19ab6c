"""``waybill up``: sandbox, Dagster, the worker, the page and the API, together in the foreground until Ctrl-C."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli.demo import home_for
from cli.output import err, narrated
from cli.sandbox_process import World, sandbox
from cli.services import refuse_ended, services
from core.errors import WaybillError
from core.settings import ROOT, Settings, get_settings

DAGSTER = "dagster"
_MOST, _WITHIN_S = 3, 600
_DIED = re.compile(r"(dagster-\w+) process shut down unexpectedly with return code (-?\d+)")


def up(
    seed: Annotated[int, typer.Option(help="Which world: the same number makes the same one.")] = 7,
    orders: Annotated[int, typer.Option(help="How many orders the world has.", min=120)] = 2000,
    base_port: Annotated[int, typer.Option(help="First of the sandbox's seven ports; 0 = free ones.")] = 8700,
    dagster_port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    dashboard_port: Annotated[int, typer.Option(help="Port of the executive page.")] = 8500,
    api_port: Annotated[int, typer.Option(help="Port of the API.")] = 8600,
    speed: Annotated[float, typer.Option(help="Seconds of the sandbox's clock per second.", min=0.1)] = 1.0,
) -> None:
    """Keep the sandbox, the Dagster UI with its daemon, the worker, the page and the API running. Ctrl-C ends them all.

    With WAYBILL_MQTT_URL set, messages of that broker are taken in too.

    Where nothing is published yet, everything runs once first. Logs are in logs/ of the home. When Dagster's daemon or UI
    dies, both are started again, and a run that was under way is marked as failed and launched anew.
    """
    settings = home_for(get_settings(), seed, orders)
    from orchestration.run import warm_up

    with sandbox(settings, World(seed, orders, base_port, speed), partial(warm_up, settings)) as ready:
        if not settings.serving.exists():
            _first_run(settings)
        commands = _commands(settings, dagster_port, {"dashboard": dashboard_port, "api": api_port})
        with services(settings, commands) as started:
            err.print(f"\n  Dagster UI      http://127.0.0.1:{dagster_port}")
            err.print(f"  Executive page  http://127.0.0.1:{dashboard_port}")
            err.print(f"  API             http://127.0.0.1:{api_port}/v1/openapi.json")
            err.print(f"  Sandbox ERP     {ready['erp']}")
            if "mqtt" in commands:
                err.print("  MQTT            messages of the broker in WAYBILL_MQTT_URL are taken in")
            err.print("\nCtrl-C ends everything.")
            revived = Revivals(settings.root / "logs" / "dagster.log")
            while True:
                if started[DAGSTER].poll() is not None:
                    err.print(revived.told(started[DAGSTER].returncode), markup=False)
                    started.start(DAGSTER)
                refuse_ended(started)
                time.sleep(0.5)


class Revivals:
    """Whether Dagster may be started again, and what is said of it."""

    def __init__(self, log: Path) -> None:
        self._log, self._read = log, 0
        self._at: list[float] = []

    def told(self, code: int) -> str:
        """Why it ended and what is done; WaybillError when it does not stay up."""
        content = self._log.read_bytes() if self._log.exists() else b""
        found = _DIED.findall(content[self._read :].decode("utf-8", "replace"))
        self._read = len(content)
        why = f"its {found[-1][0]} died (code {found[-1][1]})" if found else f"it ended with code {code}"
        now = time.monotonic()
        self._at = [each for each in self._at if now - each < _WITHIN_S]
        if len(self._at) == _MOST:
            raise WaybillError(
                f"Dagster was started again {_MOST} times within {_WITHIN_S // 60} minutes, and does not stay up: {why}.",
                remedy="Read logs/dagster.log in the home; a port in use or a file that does not load are usual causes.",
            )
        self._at.append(now)
        return (
            f"Dagster has ended: {why}. It is started again ({len(self._at)} of {_MOST} times within "
            f"{_WITHIN_S // 60} minutes); a run that was under way is marked as failed and launched anew."
        )


def _first_run(settings: Settings) -> None:
    from orchestration.run import run_once

    err.print("Nothing published yet: running everything once.")
    with narrated():
        outcome = run_once(settings)
    for problem in outcome.problems:
        err.print(f"problem {problem}")


def _commands(settings: Settings, dagster_port: int, ports: Mapping[str, int]) -> dict[str, list[str]]:
    mqtt = {"mqtt": [sys.executable, "-m", "api.mqtt"]} if settings.mqtt_url else {}
    return mqtt | {
        DAGSTER: [
            *(sys.executable, "-m", "dagster", "dev", "-w", str(ROOT / "workspace.yaml")),
            *("-h", "127.0.0.1", "-p", str(dagster_port)),
        ],
        "worker": [sys.executable, "-m", "orchestration.worker"],
        **{room: [sys.executable, "-m", room, "--port", str(port)] for room, port in ports.items()},
    }
