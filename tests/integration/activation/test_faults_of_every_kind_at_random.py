"""Fault 48, over HTTP: lost, late, broken and refused calls, a pusher killed with ``kill -9``, a second one beside the first, a kill
switch that is pulled and released, in whatever order a seed gives; and then the ERP's own books are read.

``WAYBILL_SEEDS=20000`` plays 80 of them (``make simulate`` plays so many in memory), unset 4.
"""

from __future__ import annotations

import os
import pickle
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from activation.destinations.erp_frappe import FrappeDestination
from activation.push import Pusher
from activation.result import PushResult
from core.clock import utc_now
from core.connections import Connection
from core.settings import ROOT, Settings
from state import attempts, decisions, kill_switch, ledger, outbox
from state.kill_switch import Scope
from tests.integration.activation.conftest import Erp, decision_of
from tests.integration.activation.test_faults_on_the_way import LOOK_UP, behind
from tests.simulation.erp import LAG_S, LIFE_S, SETTLE_S, Clock
from tests.support.proxy import Fault, Proxy, running_proxy

Rows = list[dict[str, Any]]
SEEDS = int(os.environ.get("WAYBILL_SEEDS", "1000")) // 250
COPIES, STEPS = 3, 30
CHANGES = {"answered": 50, "drop_request": 10, "drop_reply": 12, "late": 14, "answer": 7, "answer_after": 7}
"""How a call that changes something may end, and how often of a hundred."""
READS = {"answered": 88, "drop_reply": 4, "answer": 4, "answer_after": 4}
_STEP_S = 1.0
_KEY = re.compile("[0-9a-f]{64}")
EVERYTHING = Scope("global")
KILLED = """
import pickle, sys
from activation.push import push
from state.engine import open_state
settings, connection, rows = pickle.loads(sys.stdin.buffer.read())
push(open_state(settings), [connection], rows, patience_s=0.0)
"""


class Weather:
    """What becomes of each call, by a seed. Requests are late by ``LIFE_S`` at most, and for ``LAG_S`` after a change a search
    may not show it: what the connection declares holds."""

    def __init__(self, seed: int, proxy: Proxy) -> None:
        self.rng, self.clock, self.proxy = random.Random(seed), Clock(utc_now()), proxy
        self.due: list[Any] = []
        self.made_at: dict[str, datetime] = {}
        """Key → when a document was made under it."""
        self.met: set[str] = set()
        self.victim: subprocess.Popen[bytes] | None = None
        self.calls_to_live = self.rng.randint(2, 12)
        proxy.by_chance = self.falls_on

    def falls_on(self, line: str, body: bytes) -> Fault | None:
        self.calls_to_live -= 1
        if self.victim is not None and not self.calls_to_live:
            self.victim.kill()
            self.met.add("kill -9")
        is_read = line.startswith("GET ")
        ways = READS if is_read else CHANGES
        way = self.rng.choices(tuple(ways), tuple(ways.values()))[0]
        if line.startswith(LOOK_UP) and self.may_be_missed(line) and self.rng.random() < 0.5:
            self.met.add("lag")
            return Fault("answer", "", status=200, body=b'{"data": []}')
        self.met.add(way)
        if way != "late":
            self.note(body)
        if way == "answered":
            return None
        if way == "late":
            self.due.append((self.clock(), self.rng.uniform(0, LIFE_S - _STEP_S)))
        return Fault(way, "", status=500 if way == "answer_after" else 503)  # type: ignore[arg-type]

    def note(self, body: bytes) -> None:
        for key in _KEY.findall(body.decode()):
            self.made_at[key] = self.clock()

    def may_be_missed(self, line: str) -> bool:
        """Whether all that is looked up and there was made a moment ago."""
        made = [self.made_at[key] for key in _KEY.findall(line) if key in self.made_at]
        return bool(made) and all((self.clock() - each).total_seconds() < LAG_S for each in made)

    def pass_s(self, seconds: float) -> None:
        """Time passes, and what is late arrives in it."""
        while seconds > 0:
            self.clock.pass_s(min(seconds, _STEP_S))
            self.arrive(lambda sent, late_s: (self.clock() - sent).total_seconds() >= late_s)
            seconds -= _STEP_S

    def arrive(self, is_due: Any) -> None:
        # Those that were sent later may be due earlier: they arrive with the first that is.
        while self.proxy.underway and any(is_due(*each) for each in self.due):
            self.due.pop(0)
            self.note(self.proxy.underway[0][3])
            self.proxy.arrive()

    def clear(self) -> None:
        self.arrive(lambda *_: True)
        self.proxy.by_chance = lambda *_: None


@pytest.fixture
def state_url() -> None:
    """SQLite alone: where the state lies changes nothing on the way to the ERP."""


@pytest.fixture
def proxy(erp: Erp) -> Iterator[Proxy]:
    erp.keep_keys_unique(unique=False)
    with running_proxy(erp.url) as proxy:
        yield proxy


@pytest.fixture
def many(engine: Engine, released: Rows) -> Rows:
    """Each released row some times over, every one an effect of its own."""
    rows = [
        {
            **row,
            "business_id": f"{row['business_id']}-{copy}",
            "decision_id": f"{row['decision_id']}-{copy}",
            "lines_json": row["lines_json"].replace("|goods|", f"|goods{copy}|"),
        }
        for copy in range(COPIES)
        for row in released
    ]
    decisions.record(engine, [decision_of(row) for row in rows])
    return rows


def kill_one(settings: Settings, connection: Connection, rows: Rows, weather: Weather) -> None:
    """A push in a process of its own, killed as the proxy hears of its so-and-so-manyth call."""
    weather.victim = subprocess.Popen([sys.executable, "-c", KILLED], stdin=subprocess.PIPE, cwd=ROOT)
    weather.victim.communicate(pickle.dumps((settings, connection, rows)))
    weather.victim = None


def a_round(engine: Engine, pusher: Pusher, weather: Weather) -> None:
    what = weather.rng.random()
    if what < 0.08:
        kill_switch.pull(engine, EVERYTHING, "anna", "it looks wrong", weather.clock())
    elif what < 0.2:
        release(engine, weather)
    weather.pass_s(weather.rng.choice((1, 5, 20, 60)))
    pusher.recover()
    pusher.promote()
    pusher.left = weather.rng.randint(1, 4)
    pusher.send_due()


def release(engine: Engine, weather: Weather) -> None:
    if kill_switch.pulled(engine):
        for person in ("boris", "carla"):
            kill_switch.release(engine, EVERYTHING, person, "it is right", weather.clock())


@pytest.mark.parametrize("seed", range(SEEDS))
def test_48_whatever_happens_in_whatever_order_each_is_posted_once(
    erp: Erp, engine: Engine, settings: Settings, connection: Connection, many: Rows, proxy: Proxy, seed: int
) -> None:
    weather, declared = Weather(seed, proxy), behind(connection, proxy, two_step=bool(seed % 2))
    kill_one(settings, declared, many, weather)
    assert "kill -9" in weather.met
    destinations = [FrappeDestination(declared) for _ in range(2)]
    pushers = [Pusher(engine, declared, each, PushResult(), now=weather.clock) for each in destinations]
    try:
        pushers[0].enqueue(many)
        for _ in range(STEPS):
            a_round(engine, weather.rng.choice(pushers), weather)
        weather.clear()
        release(engine, weather)
        for _ in range(60):
            weather.pass_s(300)
            pushers[0].left = None
            pushers[0].recover()
            pushers[0].promote()
            pushers[0].send_due()
            if {row.state for row in outbox.rows(engine)} == {"ACKED"}:
                break
    finally:
        for each in destinations:
            each.close()
    # How many kinds a seed meets is chance: one of these eighty has a single other.
    assert weather.met - {"answered", "kill -9"}
    books_are_right(erp, engine, len(many))


def books_are_right(erp: Erp, engine: Engine, many: int) -> None:
    """Each released row is one posted invoice in the ERP, and nothing else stands under its key."""
    rows = outbox.rows(engine)
    assert [f"{row.shipment_no}: {row.last_error}" for row in rows if row.state != "ACKED"] == []
    assert len(rows) == many
    assert len(attempts.all_receipts(engine)) == many
    for row in rows:
        assert [each["docstatus"] for each in erp.invoices(row.idempotency_key)] == [1], row.shipment_no
    assert ledger.verify(engine).first_bad is None


def test_48_without_the_settle_rule_some_seed_is_found_out(
    erp: Erp, engine: Engine, connection: Connection, many: Rows, proxy: Proxy
) -> None:
    """The control: the same weather finds a push that does not wait."""
    declared = behind(connection, proxy, settle_s=0, two_step=False)
    assert declared.destination and declared.destination.settle_s < SETTLE_S
    weather, destination = Weather(3, proxy), FrappeDestination(declared)
    pusher = Pusher(engine, declared, destination, PushResult(), now=weather.clock)
    pusher.enqueue(many)
    try:
        for _ in range(STEPS):
            weather.pass_s(weather.rng.choice((1, 5, 20, 60)))
            pusher.recover()
            pusher.promote()
            pusher.send_due()
        weather.clear()
    finally:
        destination.close()
    assert any(len(erp.invoices(row.idempotency_key)) > 1 for row in outbox.rows(engine))
