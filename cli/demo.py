"""``waybill demo``: the whole promise once, on a sandbox of its own."""

from __future__ import annotations

import json
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import err
from cli.run import run_and_read, tell
from cli.sandbox_process import World, sandbox
from cli.services import answers, services, wait_until
from core.settings import Settings, get_settings

if TYPE_CHECKING:
    from cli.live import Delivery

_LIVE_DELIVERIES = 5
_LIVE_PATIENCE_S = 180.0


def demo(
    seed: Annotated[int, typer.Option(help="Which world: the same number makes the same one.")] = 7,
    orders: Annotated[int, typer.Option(help="How many orders the world has.", min=120)] = 2000,
    base_port: Annotated[int, typer.Option(help="First of the sandbox's seven ports; 0 = free ones.")] = 8700,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    live: Annotated[
        bool,
        typer.Option("--live", help="Then deliver shipments through the API and watch their invoices come."),
    ] = False,
    api_port: Annotated[int, typer.Option(help="Port of the API, with --live.")] = 8600,
) -> None:
    """Start the sandbox, run everything once through Dagster, post the invoices, print the result.

    Everything that was started has stopped when it ends; the data stays, and running it again posts nothing twice.
    A second world gets a folder of its own below the home.
    """
    started = time.monotonic()
    settings = home_for(get_settings(), seed, orders)
    err.print(f"Starting the sandbox: seed {seed}, {orders:,} orders, data in {settings.root}")
    from orchestration.run import warm_up

    with sandbox(settings, World(seed, orders, base_port), partial(warm_up, settings)):
        document, code = run_and_read(str(settings.root / "sandbox" / "truth.json"))
        if not json_output:
            tell(document, json_output=False)
        if live:
            deliveries = _live(settings, api_port)
            document["deliveries"] = _told(settings, deliveries, json_output=json_output)
            if not deliveries or not all(each.invoice for each in deliveries):
                err.print("Not every delivery became an invoice.")
                code = 1
        if json_output:
            tell(document, json_output=True)
    err.print(f"Done in {time.monotonic() - started:.0f} s; everything that was started has stopped.")
    raise typer.Exit(code)


def _live(settings: Settings, api_port: int) -> list[Delivery]:
    """API and worker beside the sandbox, and deliveries through them; each one's way."""
    from cli.live import play

    url = f"http://127.0.0.1:{api_port}"
    commands = {
        "api": [sys.executable, "-m", "api", "--port", str(api_port)],
        "worker": [sys.executable, "-m", "orchestration.worker"],
    }
    err.print("\nLive: the API and the worker start; then lorries leave, deliver, and their proofs come in.")
    settings.worker_note.unlink(missing_ok=True)
    with services(settings, commands) as children:
        wait_until(children, "The API", partial(answers, f"{url}/healthz"), _LIVE_PATIENCE_S)
        wait_until(children, "The worker", settings.worker_note.exists, _LIVE_PATIENCE_S)
        return play(settings, url, _LIVE_DELIVERIES)


def _told(settings: Settings, deliveries: list[Delivery], *, json_output: bool) -> list[dict[str, Any]]:
    """Each delivery with what Waybill noted of its shipment; shown to people with the first one's notes."""
    from cli.live import show
    from cli.trace import noted_of, show_noted

    told = [vars(each) | {"noted": noted_of(settings, each.shipment_no)} for each in deliveries]
    if not json_output:
        show(deliveries)
        for each in told[:1]:
            show_noted(each["shipment_no"], each["noted"])
    return told


def home_for(settings: Settings, seed: int, orders: int) -> Settings:
    """The home itself when it is empty or holds this world, else a folder of its own below it.

    Two worlds in one store would be neither: their invoices share keys.
    """
    marker = settings.root / "sandbox" / "demo.json"
    wanted = {"seed": seed, "orders": orders}
    if marker.exists() and json.loads(marker.read_text(encoding="utf-8")) != wanted:
        home = settings.root / "worlds" / f"seed-{seed}-orders-{orders}"
        os.environ["WAYBILL_HOME"] = str(home)
        get_settings.cache_clear()
        return home_for(get_settings(), seed, orders)
    _write_once(marker, json.dumps(wanted))
    os.environ["WAYBILL_CONNECTIONS"] = "connections/sandbox"
    get_settings.cache_clear()
    return get_settings()


def _write_once(path: Path, text: str) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
