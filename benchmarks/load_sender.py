"""The partner's side of ``benchmarks.load``: sends events at times that were fixed in advance, and notes each answer.

``python -m benchmarks.load_sender PLAN ANSWERS``: a plan as JSON in, one line of JSON for each request out. The loop is open:
a request is due at its own time whatever became of those before it, and its latency counts from that time, so that a
server that falls behind cannot hide it. Belongs here: HTTP and time. What is sent and what it proves is ``load``'s.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httptools
import uvloop

PATIENCE_S = 120.0
"""What is not answered after so long has no answer."""
NO_ANSWER = 0
ENTERED, DEVIATED = "waybill.geofence.entered.v1", "waybill.route.deviated.v1"
_SINGLE, _BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"


@dataclass(frozen=True)
class Plan:
    """What to send: ``events_per_s`` for ``seconds``, of which the share ``batched`` comes ``batch`` at a time.

    They are told of ``devices`` by turns, and every other one names one of ``trips``; each happened at an instant of its
    own, a millisecond after the one before it, from ``first_at`` on.
    """

    name: str
    host: str
    port: int
    token: str
    events_per_s: float
    seconds: float
    batched: float
    batch: int
    connections: int
    first_at: str
    devices: tuple[str, ...]
    trips: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """Events ``first`` to ``first + many - 1`` of a plan, due after so many seconds."""

    due_s: float
    first: int
    many: int


@dataclass(frozen=True)
class Answer:
    """What came back: ``late_s`` after the request was due. ``kept`` counts the events that were said to be kept."""

    due_s: float
    first: int
    many: int
    late_s: float
    status: int
    retry_after: str | None
    kept: int
    resent: int


def requests(plan: Plan) -> Iterator[Request]:
    """All requests by their time: a batch is due when its last event has happened."""
    total, first, batched = round(plan.events_per_s * plan.seconds), 0, 0
    while first < total:
        is_batch = plan.batch > 1 and batched + plan.batch <= plan.batched * (first + plan.batch)
        many = min(plan.batch, total - first) if is_batch else 1
        batched += many if is_batch else 0
        yield Request((first + many - 1) / plan.events_per_s, first, many)
        first += many


def happened_at(plan: Plan, number: int) -> datetime:
    """When an event happened: what tells it from all others."""
    return datetime.fromisoformat(plan.first_at) + timedelta(milliseconds=number)


def event(plan: Plan, number: int) -> bytes:
    """One CloudEvent: a lorry enters a place, or leaves its planned way."""
    if number % 2:
        kind, said = (
            DEVIATED,
            f'"trip_id":"{plan.trips[number % len(plan.trips)]}","distance_m":{number % 900}',
        )
    else:
        kind, said = ENTERED, f'"location_id":"PLACE-{number % 50}"'
    return (
        f'{{"specversion":"1.0","id":"{plan.name}-{number}","source":"/load/{plan.name}","type":"{kind}",'
        f'"time":"{happened_at(plan, number).isoformat()}",'
        f'"data":{{"device_id":"{plan.devices[number % len(plan.devices)]}","latitude":53.55,"longitude":9.99,{said}}}}}'
    ).encode()


class Line(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self) -> None:
        self.is_open = False
        self._answered: asyncio.Future[tuple[int, str | None, bytes]] | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport, self.is_open = transport, True

    def connection_lost(self, _: Exception | None) -> None:
        self.is_open = False
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ConnectionError("closed"))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self._retry_after = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result((self._parser.get_status_code(), self._retry_after, self._body))

    async def ask(self, raw: bytes) -> tuple[int, str | None, bytes]:
        """Send and wait; ConnectionError when the other side closed."""
        self._answered = asyncio.get_running_loop().create_future()
        self._retry_after: str | None = None
        self._body = b""
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(raw)
        return await asyncio.wait_for(self._answered, PATIENCE_S)

    def close(self) -> None:
        self._transport.close()


class Sender:
    """Sends one plan over so many connections at most; what finds none free waits, and its time runs."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._free: list[Line] = []
        self._slots = asyncio.Semaphore(plan.connections)
        self.answers: list[Answer] = []

    async def run(self) -> None:
        """Everything at its time; returns when all is answered."""
        underway: set[asyncio.Task[None]] = set()
        begun = time.monotonic()
        for each in requests(self._plan):
            wait = begun + each.due_s - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            elif len(underway) % 50 == 0:
                await asyncio.sleep(0)
            task = asyncio.create_task(self._send(each, begun))
            underway.add(task)
            task.add_done_callback(underway.discard)
        await asyncio.gather(*underway)
        for line in self._free:
            line.close()

    async def _send(self, request: Request, begun: float) -> None:
        raw, resent = self._raw(request), 0
        async with self._slots:
            while True:
                try:
                    line = await self._line()
                    status, retry_after, body = await line.ask(raw)
                # As a partner would: it does not know whether it came through, and the id says that it is the same.
                except OSError:
                    resent += 1
                    if resent > 1:
                        status, retry_after, body = NO_ANSWER, None, b""
                        break
                    continue
                self._free.append(line)
                break
        kept = body.count(b'"accepted"') + body.count(b'"duplicate"') if status == 202 else 0
        late_s = time.monotonic() - begun - request.due_s
        self.answers.append(
            Answer(
                request.due_s,
                request.first,
                request.many,
                round(late_s, 6),
                status,
                retry_after,
                kept,
                resent,
            )
        )

    async def _line(self) -> Line:
        while self._free:
            line = self._free.pop()
            if line.is_open:
                return line
        loop = asyncio.get_running_loop()
        _, fresh = await loop.create_connection(Line, self._plan.host, self._plan.port)
        return fresh

    def _raw(self, request: Request) -> bytes:
        plan = self._plan
        events = [event(plan, request.first + each) for each in range(request.many)]
        if request.many == 1:
            path, kind, body = "/v1/events", _SINGLE, events[0]
        else:
            path, kind, body = "/v1/events/batch", _BATCH, b"[" + b",".join(events) + b"]"
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {plan.host}\r\nAuthorization: Bearer {plan.token}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def main() -> int:
    """Send the plan of a file, and write the answers into another."""
    given, into = (Path(each) for each in sys.argv[1:3])
    raw = json.loads(given.read_text())
    sender = Sender(Plan(**raw | {name: tuple(raw[name]) for name in ("devices", "trips")}))
    uvloop.run(sender.run())
    with into.open("w") as out:
        for each in sender.answers:
            out.write(json.dumps(asdict(each)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
