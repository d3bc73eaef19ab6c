"""``waybill up``: sandbox, Dagster, the page and the API, together in the foreground until Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Annotated

import typer

from cli.demo import home_for
from cli.keeper import STOP_TIMEOUT_S
from cli.output import err, narrated
from cli.sandbox_process import World, sandbox
from core.errors import WaybillError
from core.settings import ROOT, Settings, get_settings


def up(
    seed: Annotated[int, typer.Option(help="Which world: the same number makes the same one.")] = 7,
    orders: Annotated[int, typer.Option(help="How many orders the world has.", min=120)] = 2000,
    base_port: Annotated[int, typer.Option(help="First of the sandbox's seven ports; 0 = free ones.")] = 8700,
    dagster_port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    dashboard_port: Annotated[int, typer.Option(help="Port of the executive page.")] = 8500,
    api_port: Annotated[int, typer.Option(help="Port of the API.")] = 8600,
    speed: Annotated[float, typer.Option(help="Seconds of the sandbox's clock per second.", min=0.1)] = 1.0,
) -> None:
    """Keep the sandbox, the Dagster UI with its daemon, the page and the API running. Ctrl-C ends them all.

    Where nothing is published yet, everything runs once first. Logs are in logs/ of the home.
    """
    settings = home_for(get_settings(), seed, orders)
    from orchestration.run import warm_up

    with sandbox(settings, World(seed, orders, base_port, speed), partial(warm_up, settings)) as ready:
        if not settings.serving.exists():
            _first_run(settings)
        children = _start(settings, dagster_port, {"dashboard": dashboard_port, "api": api_port})
        try:
            err.print(f"\n  Dagster UI      http://127.0.0.1:{dagster_port}")
            err.print(f"  Executive page  http://127.0.0.1:{dashboard_port}")
            err.print(f"  API             http://127.0.0.1:{api_port}/v1/openapi.json")
            err.print(f"  Sandbox ERP     {ready['erp']}")
            err.print("\nCtrl-C ends everything.")
            _watch(children)
        finally:
            _stop(children)


def _first_run(settings: Settings) -> None:
    from orchestration.run import run_once

    err.print("Nothing published yet: running everything once.")
    with narrated():
        outcome = run_once(settings)
    for problem in outcome.problems:
        err.print(f"problem {problem}")


def _start(
    settings: Settings, dagster_port: int, ports: Mapping[str, int]
) -> dict[str, subprocess.Popen[bytes]]:
    """Dagster and each room of ``ports`` under a keeper, which ends it with all it started when this process is
    gone, killed or not."""
    from orchestration.run import prepare_instance

    environment = {**os.environ, "DAGSTER_HOME": str(prepare_instance(settings))}
    environment["WAYBILL_HOME"] = str(settings.root)
    logs = settings.root / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    commands = {
        "dagster": [
            *(sys.executable, "-m", "dagster", "dev", "-w", str(ROOT / "workspace.yaml")),
            *("-h", "127.0.0.1", "-p", str(dagster_port)),
        ],
        **{room: [sys.executable, "-m", room, "--port", str(port)] for room, port in ports.items()},
    }
    children: dict[str, subprocess.Popen[bytes]] = {}
    for name, command in commands.items():
        with (logs / f"{name}.log").open("ab") as log:
            children[name] = subprocess.Popen(
                [sys.executable, "-m", "cli.keeper", *command],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
    return children


def _watch(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Wait until one of them ends by itself, which is a failure."""
    while True:
        for name, child in children.items():
            if child.poll() is not None:
                raise WaybillError(
                    f"{name} ended with code {child.returncode}.", remedy=f"Read logs/{name}.log in the home."
                )
        time.sleep(0.5)


def _stop(children: dict[str, subprocess.Popen[bytes]]) -> None:
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
