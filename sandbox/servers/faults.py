"""Faults on demand and counters: what stands between the network and a dialect's app.

Belongs here: the outermost ASGI layer (Date header, faults, counting, `/_sandbox/*`). No dialect does.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from sandbox.clock import WorldClock, instant

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

KINDS = ("status", "echo", "delay", "html", "truncate", "cut", "drop_reply", "apply_then_500", "reset")
_READS = ("GET", "HEAD", "OPTIONS")
_LOGIN = b"<!DOCTYPE html><html><head><title>Login</title></head><body><form>Sign in</form></body></html>"


@dataclass
class Fault:
    """What happens to the next ``times`` requests whose method and path (a regular expression) match.

    ``after`` lets that many matching requests pass first. ``seconds`` is the length of a delay.
    """

    kind: str
    status: int = 503
    retry_after: float | None = None
    times: int = 1
    after: int = 0
    path: str = ""
    method: str | None = None
    seconds: float = 1.0

    def matches(self, method: str, path: str) -> bool:
        if self.method is not None and self.method.upper() != method:
            return False
        return re.search(self.path, path) is not None


@dataclass(frozen=True)
class Call:
    """One request, its body already read."""

    scope: MutableMapping[str, Any]
    body: bytes
    receive: Receive
    send: Send

    async def replay(self) -> Message:
        """What the app receives instead of the network."""
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def hang_up(self, *, hard: bool) -> None:
        """Close the client's connection without an answer; ``hard`` sends a reset."""
        transport = self.scope["sandbox.transport"]
        if hard:
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
        while (await self.receive())["type"] != "http.disconnect":
            pass


@dataclass
class Answer:
    """What the app answered, held back until the fault has decided what becomes of it."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def collect(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", []))
        else:
            self.body += message.get("body", b"")


class Outside:
    """Wraps a dialect's app: dates every answer, counts requests, and lets faults happen."""

    def __init__(self, app: App, system: str, clock: WorldClock) -> None:
        self.app = app
        self.system = system
        self.clock = clock
        self.faults: list[Fault] = []
        self.seen: Counter[str] = Counter()
        self.faulted: Counter[str] = Counter()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"date", self.clock.http_date())]
            await send(message)

        body = await _body(receive)
        if body is None:
            return
        call = Call(scope, body, receive, dated)
        if scope["path"].startswith("/_sandbox/"):
            await self._control(call)
            return
        path = unquote(scope["path"])
        self.seen[f"{scope['method']} {path}"] += 1
        fault = self._next(scope["method"], path)
        if fault is None:
            await self.app(scope, call.replay, dated)
        else:
            self.faulted[fault.kind] += 1
            await self._fail(fault, call)

    def _next(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.matches(method, path):
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    async def _fail(self, fault: Fault, call: Call) -> None:
        """Before the app: status, echo, html, reset, delay. After it: the rest, which keep what it did."""
        if fault.kind == "status":
            headers = {} if fault.retry_after is None else {"retry-after": f"{fault.retry_after:g}"}
            text = json.dumps({"message": f"fault on demand: {fault.status}"}).encode()
            await _answer(call.send, fault.status, text, extra=headers)
        elif fault.kind == "echo":
            # As gateways do that show what they did not understand, credentials and all.
            sent = ", ".join(f"{name.decode()}: {value.decode()}" for name, value in call.scope["headers"])
            text = json.dumps(
                {"exception": f"Bad request: {sent}", "message": f"Bad request: {sent}"}
            ).encode()
            await _answer(call.send, fault.status, text)
        elif fault.kind == "html":
            await _answer(call.send, 200, _LOGIN, content_type="text/html; charset=utf-8")
        elif fault.kind == "reset":
            await call.hang_up(hard=True)
        elif fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
            await self.app(call.scope, call.replay, call.send)
        else:
            answer = Answer()
            await self.app(call.scope, call.replay, answer.collect)
            await _spoil(fault, answer, call)

    async def _control(self, call: Call) -> None:
        what, method = call.scope["path"].removeprefix("/_sandbox/"), call.scope["method"]
        if what == "health" and method == "GET":
            reply: object = {"system": self.system, "ok": True, "now": instant(self.clock.now())}
        elif what == "requests" and method in ("GET", "DELETE"):
            reply = self._counters()
            if method == "DELETE":
                self.seen.clear()
                self.faulted.clear()
        elif what == "faults" and method in ("GET", "DELETE", "POST"):
            if method == "POST":
                try:
                    self.faults.append(_fault(json.loads(call.body)))
                except (ValueError, TypeError, re.error) as error:
                    await _answer(call.send, 400, json.dumps({"message": str(error)}).encode())
                    return
            elif method == "DELETE":
                self.faults.clear()
            reply = {"faults": [vars(fault) for fault in self.faults if fault.times > 0]}
        else:
            await _answer(call.send, 404, b'{"message":"no such control"}')
            return
        await _answer(call.send, 200, json.dumps(reply).encode())

    def _counters(self) -> dict[str, object]:
        mutating = {each: n for each, n in self.seen.items() if each.split(" ", 1)[0] not in _READS}
        return {
            "total": sum(self.seen.values()),
            "mutating": sum(mutating.values()),
            "mutating_by_path": mutating,
            "by_path": dict(self.seen),
            "faulted": dict(self.faulted),
        }


def _fault(given: dict[str, Any]) -> Fault:
    fault = Fault(**given)
    if fault.kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, not {fault.kind!r}")
    re.compile(fault.path)
    return fault


async def _spoil(fault: Fault, answer: Answer, call: Call) -> None:
    """The app has done its work; the client shall not learn it, or not all of it."""
    half = answer.body[: len(answer.body) // 2]
    if fault.kind == "apply_then_500":
        await _answer(call.send, 500, b'{"message":"fault on demand: 500 after the work was done"}')
    elif fault.kind == "drop_reply":
        await call.hang_up(hard=False)
    elif fault.kind == "cut":
        await call.send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await call.send({"type": "http.response.body", "body": half, "more_body": True})
    else:
        await _answer(call.send, answer.status, half)


async def _body(receive: Receive) -> bytes | None:
    """The whole request, read before anything else: a client that hangs up later does not undo it."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    *,
    content_type: str = "application/json",
    extra: dict[str, str] | None = None,
) -> None:
    headers = {"content-type": content_type, "content-length": str(len(body)), **(extra or {})}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
