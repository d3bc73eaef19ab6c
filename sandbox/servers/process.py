"""One server's process: uvicorn on a socket that it inherits, ending when its parent does.

Belongs here: what runs inside a child. Starting and ending the children is `sandbox/servers/supervisor`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.clock import WorldClock
from sandbox.servers import epcis, frappe, onfleet, otm5, samsara, signed_links
from sandbox.servers.faults import App, Outside, Receive, Send
from sandbox.servers.store import Store

APPS: dict[str, Callable[[Store], FastAPI]] = {
    "erp": frappe.app,
    "dispatch": otm5.app,
    "telematics": samsara.app,
    "pod": onfleet.app,
    "depot_pod": signed_links.app,
    "wms": epcis.app,
    "tms": otm5.app,
}
SYSTEMS = tuple(APPS)
_LONGEST_HEAD = 1 << 20


class _Protocol(H11Protocol):
    """Hands its transport to the app, so that a fault can close the connection without an answer."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: Any,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        inner: App = self.app

        async def with_transport(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
            await inner({**scope, "sandbox.transport": self.transport}, receive, send)

        self.app = with_transport


def outside(system: str, path: Path, clock: WorldClock) -> Outside:
    """The whole ASGI app of a system: its dialect behind faults, counters and the world's date."""
    return Outside(APPS[system](Store(path, system, clock)), system, clock)


def serve(
    system: str, listener: socket.socket, others: list[int], path: Path, clock: WorldClock, alive: int
) -> None:
    """Answer on ``listener`` until SIGTERM or until the pipe ``alive`` closes, which is the parent's end.

    ``others`` are inherited descriptors that are not this process's business.
    """
    for descriptor in others:
        os.close(descriptor)
    os.dup2(2, 1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(alive)
    logging.basicConfig(level=logging.ERROR, format=f"sandbox {system}: %(message)s")
    config = uvicorn.Config(
        outside(system, path, clock),
        loop="asyncio",
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
    )
    uvicorn.Server(config).run(sockets=[listener])


def end_with_parent(alive: int) -> None:
    """End this process as soon as the other end of the pipe ``alive`` is closed, however its holder ended."""

    def wait() -> None:
        os.read(alive, 1)
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
