"""The API under load: ``python -m benchmarks.load`` (``--rate 500 --seconds 600 --burst 2000 --burst-seconds 30``).

Sender and server are processes of their own. Three things, of which ``--only`` chooses some:

- ``sustained``: so many events a second, half of them by themselves and half in batches (``--batched``, ``--batch``);
- ``burst``: more than the server may take; each request is to be answered 202 or 429 with ``Retry-After``;
- ``away``: the ERP is away for a day in which 20,000 proofs come in, on the virtual clock of ``tests/simulation``: twenty
  a second, which is 17 minutes of the day (twenty a second all day long would be 1.7 million).

The sender's times are fixed in advance and latency counts from them (``load_sender``). Afterwards the worker drains the inbox and a
run publishes: what was answered 202 has to be in the marts once, and nothing else (``load_world``). Rates are counted as
always: the API is given as many requests a minute as an operator would allow such a sender.

Prints tables on stderr and one JSON document on stdout; exit code 1 when something is lost, doubled or answered otherwise.
Speed is reported beside its aim and fails nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.load_sender import Answer, Plan, requests
from benchmarks.load_world import World, a_world, counted, drain
from cli.services import Children, answers, services, wait_until
from core.settings import ROOT
from tests.simulation import outage

AIM_S = 0.25
_BUCKETS_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
_PATIENCE_S = 600.0
PARTS = ("sustained", "burst", "away")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rate", type=float, default=500, help="events a second")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--burst", type=float, default=2000, help="events a second of the burst")
    parser.add_argument("--burst-seconds", type=float, default=30)
    parser.add_argument(
        "--batched", type=float, default=0.5, help="the share of events that comes in batches"
    )
    parser.add_argument("--batch", type=int, default=25, help="events of one batch")
    parser.add_argument("--connections", type=int, default=200, help="of the sender, at most")
    parser.add_argument("--proofs", type=int, default=outage.PROOFS, help="while the ERP is away")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--port", type=int, default=8691)
    given = parser.parse_args()
    document: dict[str, Any] = {"cores": os.cpu_count()}
    plans = [each for each in PARTS[:2] if each in given.only]
    if plans:
        with tempfile.TemporaryDirectory() as folder, a_world(Path(folder), _per_minute(given)) as world:
            document |= _measure(world, given, plans)
    if "away" in given.only:
        document["away"] = asdict(outage.play(given.proofs))
    _show(document)
    print(json.dumps(document, indent=2))
    return 0 if all(document[part]["is_kept"] for part in PARTS if part in document) else 1


def _per_minute(given: argparse.Namespace) -> int:
    """Requests that an operator would let such a partner send in a minute: what it sends always, and a tenth more."""
    plan = _plan(given, "sustained", None)
    return math.ceil(1.1 * 60 * sum(1 for _ in requests(plan)) / plan.seconds)


def _plan(given: argparse.Namespace, part: str, world: World | None) -> Plan:
    is_burst = part == "burst"
    rate, seconds = (given.burst, given.burst_seconds) if is_burst else (given.rate, given.seconds)
    shape = (rate, seconds, given.batched, given.batch, given.connections)
    if world is None:
        return Plan(part, "127.0.0.1", given.port, "", *shape, "", (), ())
    # One after the other: no instant is of both.
    first_at = world.first_at + timedelta(hours=is_burst)
    return Plan(
        part, "127.0.0.1", given.port, world.token, *shape, first_at.isoformat(), world.devices, world.trips
    )


def _measure(world: World, given: argparse.Namespace, parts: Sequence[str]) -> dict[str, Any]:
    plans = {part: _plan(given, part, world) for part in parts}
    answered: dict[str, list[Answer]] = {}
    found: dict[str, dict[str, Any]] = {}
    command = {"api": [sys.executable, "-m", "api", "--port", str(given.port)]}
    with services(world.settings, command) as children:
        url = f"http://127.0.0.1:{given.port}/healthz"
        wait_until(children, "The API", lambda: answers(url), _PATIENCE_S)
        for part, plan in plans.items():
            before, began = _cpu_s(children), time.monotonic()
            answered[part] = _sent(world.folder, plan)
            took_s, used_s = time.monotonic() - began, _cpu_s(children) - before
            found[part] = _of_answers(plan, answered[part], took_s, used_s)
    drained = drain(world)
    there = counted(world, plans, answered)
    for part in parts:
        found[part]["found"] = there[part]
        wrong = [there[part][each] for each in ("lost", "doubled", "refused_and_there")]
        found[part]["is_kept"] = not (
            any(wrong) or found[part]["otherwise"] or there["marts"]["lorries_that_differ"]
        )
    return {**found, "drained": drained, "marts": there["marts"], "requests_per_minute": world.per_minute}


def _cpu_s(children: Children) -> float:
    """What the API has used: the keeper's child."""
    servers = psutil.Process(children["api"].pid).children(recursive=True)
    return max(sum(each.cpu_times()[:2]) for each in servers)


def _sent(folder: Path, plan: Plan) -> list[Answer]:
    given, into = folder / f"{plan.name}.json", folder / f"{plan.name}.jsonl"
    given.write_text(json.dumps(asdict(plan)))
    subprocess.run([sys.executable, "-m", "benchmarks.load_sender", given, into], cwd=ROOT, check=True)
    with into.open() as lines:
        return [Answer(**json.loads(line)) for line in lines]


def _of_answers(plan: Plan, answered: Sequence[Answer], took_s: float, used_s: float) -> dict[str, Any]:
    events = round(plan.events_per_s * plan.seconds)
    statuses: Counter[int] = Counter()
    for each in answered:
        statuses[each.status] += 1
    dumb = sum(each.status == 429 and not each.retry_after for each in answered)
    partly = sum(each.status == 202 and each.kept != each.many for each in answered)
    # What a partner sends always is what its rates allow; only a burst may be told to wait.
    wanted = {202} if plan.name == "sustained" else {202, 429}
    otherwise = sum(many for status, many in statuses.items() if status not in wanted) + dumb + partly
    return {
        "events": events, "events_per_s": plan.events_per_s, "seconds": plan.seconds, "requests": len(answered),
        "requests_per_s": round(len(answered) / plan.seconds, 1), "answered_in_s": round(took_s, 1),
        "statuses": {str(status): many for status, many in sorted(statuses.items())},
        "otherwise": otherwise, "resent": sum(each.resent for each in answered),
        "latency_s": _summary([each.late_s for each in answered]),
        "latency_s_by_status": {
            str(status): _summary([each.late_s for each in answered if each.status == status]) for status in statuses
        },
        "histogram": _histogram([each.late_s for each in answered]),
        "server_cpu_ms_per_event": round(1000 * used_s / events, 3),
        "server_cpu_ms_per_request": round(1000 * used_s / max(1, len(answered)), 3),
        "server_cpu_share_of_a_core": round(used_s / took_s, 3),
    }  # fmt: skip


def _summary(seconds: Sequence[float]) -> dict[str, float]:
    if len(seconds) < 2:
        return {}
    cuts = quantiles(seconds, n=1000, method="inclusive")
    found = {"p50": cuts[499], "p95": cuts[949], "p99": cuts[989], "max": max(seconds)}
    return {name: round(value, 4) for name, value in found.items()}


def _histogram(seconds: Sequence[float]) -> dict[str, int]:
    found: dict[str, int] = {}
    below = -math.inf
    for bound in _BUCKETS_MS:
        found[f"<= {bound} ms"] = sum(below < each * 1000 <= bound for each in seconds)
        below = bound
    found["more"] = sum(each * 1000 > below for each in seconds)
    return found


def _show(document: dict[str, Any]) -> None:
    console = Console(stderr=True, width=120)
    for part in (each for each in PARTS[:2] if each in document):
        found = document[part]
        table = Table("from the planned time to the answer", "requests", "", title=(
            f"{part}: {found['events_per_s']:g} events/s for {found['seconds']:g} s, {found['requests_per_s']:g} requests/s"
        ))  # fmt: skip
        most = max(found["histogram"].values()) or 1
        for bucket, count in found["histogram"].items():
            table.add_row(bucket, str(count), "█" * round(40 * count / most))
        console.print(table)
        console.print(
            f"{found['latency_s']} (aim of p99 when sustained: {AIM_S} s), answers {found['statuses']}"
        )
        console.print(
            f"server CPU {found['server_cpu_ms_per_event']} ms an event, "
            f"{found['server_cpu_share_of_a_core']:.0%} of a core; there afterwards: {found['found']}"
        )
    if "drained" in document:
        console.print(f"drained: {document['drained']}; in the marts: {document['marts']}")
    if "away" in document:
        console.print(f"away: {document['away']}")


if __name__ == "__main__":
    sys.exit(main())
