"""The application on a loopback port, for as long as a test needs it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from core.settings import Settings
from dashboard.app import create_app


def get(address: str) -> httpx.Response:
    """The page. Drawing the first chart takes longer than httpx waits by itself where other work has the machine."""
    return httpx.get(address, timeout=60)


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The application on a free loopback port; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings), host="127.0.0.1", port=port, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    get(f"{address}/healthz").raise_for_status()
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(timeout=10)
