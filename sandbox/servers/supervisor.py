"""The children: ports, starting, waiting until all answer, watching, ending. None outlives the sandbox.

Belongs here: processes and ports. What a child does inside is `sandbox/servers/process`.
"""

from __future__ import annotations

import http.client
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.context import ForkProcess
from pathlib import Path

from sandbox.clock import KEEP_EVERY_S, WorldClock
from sandbox.servers.process import SYSTEMS, end_with_parent, serve

HOST = "127.0.0.1"
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_START_TIMEOUT_S = 20
_STOP_TIMEOUT_S = 3


class SandboxError(Exception):
    """Something a person can mend; the message says how."""


def listen(base_port: int) -> dict[str, socket.socket]:
    """One listening socket per system, from ``base_port`` up; 0 = free ports. SandboxError names a taken one."""
    listeners: dict[str, socket.socket] = {}
    for position, system in enumerate(SYSTEMS):
        port = base_port + position if base_port else 0
        # With the protocol named, asyncio turns Nagle off; else every small answer waits 40 ms.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(128)
        except (OSError, OverflowError) as error:
            listener.close()
            for each in listeners.values():
                each.close()
            raise SandboxError(
                f"Port {port} on {HOST} cannot be used for {system} ({error}). Remedy: end what holds it, or "
                "choose other ports with --base-port (0 = any free ones)."
            ) from error
        listeners[system] = listener
    return listeners


def hold_signals() -> None:
    """From now on signals wait until ``Children.watch`` asks for them; before any child is started."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {*STOP_SIGNALS, signal.SIGCHLD})


def build_apart(build: Callable[[Path, int, int], None], home: Path, seed: int, orders: int) -> bool:
    """Run ``build`` in a process of its own, whose memory is given back; False when told to stop meanwhile."""
    read_end, write_end = os.pipe()
    builder = multiprocessing.get_context("fork").Process(
        target=_build, args=(build, home, seed, orders, read_end, write_end)
    )
    builder.start()
    os.close(read_end)
    try:
        while builder.is_alive():
            found = signal.sigtimedwait({*STOP_SIGNALS, signal.SIGCHLD}, KEEP_EVERY_S)
            if found is not None and found.si_signo in STOP_SIGNALS:
                builder.kill()
                builder.join()
                return False
    finally:
        os.close(write_end)
    if builder.exitcode != 0:
        raise SandboxError("The world could not be built. Remedy: read the error above.")
    return True


def _build(
    build: Callable[[Path, int, int], None], home: Path, seed: int, orders: int, alive: int, parents: int
) -> None:
    os.close(parents)
    os.dup2(2, 1)
    end_with_parent(alive)
    build(home, seed, orders)


class Children:
    """The processes of the systems. Use as a context manager: leaving it ends them all."""

    def __init__(self, listeners: dict[str, socket.socket], path: Path, clock: WorldClock) -> None:
        context = multiprocessing.get_context("fork")
        read_end, self._write_end = os.pipe()
        self.urls = {system: f"http://{HOST}:{each.getsockname()[1]}" for system, each in listeners.items()}
        self._processes: dict[str, ForkProcess] = {}
        for system, listener in listeners.items():
            others = [each.fileno() for each in listeners.values() if each is not listener]
            self._processes[system] = context.Process(
                target=serve, args=(system, listener, [*others, self._write_end], path, clock, read_end)
            )
        for process in self._processes.values():
            process.start()
        os.close(read_end)
        for listener in listeners.values():
            listener.close()

    @property
    def pids(self) -> dict[str, int]:
        return {system: process.pid or 0 for system, process in self._processes.items()}

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.terminate()
        for process in self._processes.values():
            process.join(_STOP_TIMEOUT_S)
            if process.is_alive():
                process.kill()
                process.join()
        os.close(self._write_end)

    def wait_until_answering(self) -> None:
        """Return when every server answers; SandboxError names one that does not."""
        for system, url in self.urls.items():
            connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=_START_TIMEOUT_S)
            try:
                connection.request("GET", "/_sandbox/health")
                answering = connection.getresponse().status == 200
            except OSError:
                answering = False
            finally:
                connection.close()
            if not answering:
                raise SandboxError(f"The {system} server does not answer. Remedy: read its error above.")

    def watch(self, every: Callable[[], bool]) -> None:
        """Return on a stop signal or when ``every``, called each second, says False; SandboxError on a death."""
        while True:
            found = signal.sigtimedwait({*STOP_SIGNALS, signal.SIGCHLD}, KEEP_EVERY_S)
            if found is not None and found.si_signo in STOP_SIGNALS:
                return
            dead = [system for system, process in self._processes.items() if not process.is_alive()]
            if dead:
                raise SandboxError(f"The {', '.join(dead)} server died. Remedy: start the sandbox again.")
            if not every():
                return
