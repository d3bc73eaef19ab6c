"""A proxy between Waybill and a server that loses, repeats and invents answers as a test tells it to."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Literal
from urllib.parse import unquote_plus

import httpx

Kind = Literal["drop_request", "drop_reply", "answer", "answer_after", "hold", "late"]


@dataclass
class Fault:
    """What happens to the next ``times`` calls of which ``where`` is in the first line, its escapes undone, or in the body.

    ``drop_request``: nobody hears of it. ``drop_reply``: done, and the line is cut. ``answer``: ``status`` and ``body``
    instead of asking; ``answer_after``: the same, after it was done. ``hold``: done, and no answer until ``release``.
    ``late``: the line is cut at once, and the call is on its way until ``Proxy.arrive`` lets it arrive.
    """

    kind: Kind
    where: str
    times: int = 1
    status: int = 503
    body: bytes = b"<p>The service is unavailable.</p>"
    release: Event = field(default_factory=Event)
    met: Event = field(default_factory=Event)


class Proxy:
    """``url`` of the proxy, what it has passed on (bodies), and the faults that are still to come."""

    def __init__(self, target: str) -> None:
        self._target = httpx.URL(target)
        self.url = ""
        self.passed: list[bytes] = []
        self.by_chance: Callable[[str, bytes], Fault | None] = lambda *_: None
        """What happens to a call that no planted fault meets, from its first line and body."""
        self.underway: list[tuple[str, str, dict[str, str], bytes]] = []
        self._faults: list[Fault] = []
        self._lock = Lock()
        self._client = httpx.Client(verify=False, timeout=120, trust_env=False)

    def plant(self, kind: Kind, where: str, times: int = 1, **more: object) -> Fault:
        fault = Fault(kind, where, times, **more)  # type: ignore[arg-type]
        with self._lock:
            self._faults.append(fault)
        return fault

    def heal(self) -> None:
        with self._lock:
            for each in self._faults:
                each.release.set()
            self._faults.clear()

    def count(self, where: str) -> int:
        """How many calls were passed on whose body holds this."""
        return sum(where.encode() in each for each in self.passed)

    def fault_of(self, line: str, body: bytes) -> Fault | None:
        whole = line.encode() + b"\n" + body
        with self._lock:
            for each in self._faults:
                if each.times > 0 and each.where.encode() in whole:
                    each.times -= 1
                    return each
            return self.by_chance(line, body)

    def arrive(self) -> None:
        """The call that has been on its way longest reaches the server; nobody hears the answer."""
        self.ask(*self.underway.pop(0))

    def close(self) -> None:
        self._client.close()

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        self.passed.append(body)
        url = self._target.copy_with(raw_path=path.encode())
        return self._client.request(method, url, headers=headers, content=body)


@contextmanager
def running_proxy(target: str) -> Iterator[Proxy]:
    """In front of the server and path ``target`` while the block runs."""
    proxy = Proxy(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault = proxy.fault_of(f"{self.command} {unquote_plus(self.path)}", body)
            if fault is not None and fault.kind in {"drop_request", "answer"}:
                fault.met.set()
                self._end_with(fault)
                return
            skipped = {"host", "connection", "accept-encoding"}
            headers = {name: value for name, value in self.headers.items() if name.lower() not in skipped}
            if fault is not None and fault.kind == "late":
                proxy.underway.append((self.command, self.path, headers, body))
                fault.met.set()
                self._end_with(fault)
                return
            answer = proxy.ask(self.command, self.path, headers, body)
            if fault is not None:
                fault.met.set()
                self._end_with(fault)
                return
            self._send(
                answer.status_code, answer.headers.get("Content-Type", ""), answer.content, answer.headers
            )

        do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - http.server's names

        def _end_with(self, fault: Fault) -> None:
            if fault.kind in {"answer", "answer_after"}:
                self._send(fault.status, "text/html", fault.body, {})
                return
            if fault.kind == "hold":
                fault.release.wait(60)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def _send(self, status: int, kind: str, body: bytes, more: httpx.Headers | dict[str, str]) -> None:
            self.send_response_only(status)
            for name in ("Date", "Retry-After"):
                if name in more:
                    self.send_header(name, more[name])
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_port}{httpx.URL(target).path}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.heal()
        server.shutdown()
        server.server_close()
        proxy.close()
