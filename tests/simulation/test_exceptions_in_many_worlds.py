"""Exceptions that change while everything goes wrong: one document each, which ends as they do."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from activation.destinations.base import PostedAlert
from activation.push import Pusher, PushResult
from core.connections import Connection, Destination
from core.settings import Settings
from state import decisions, outbox
from state.decisions import Decision
from state.engine import open_state
from tests.simulation.erp import BEGINNING, SETTLE_S, Clock, Crash, SimulatedErp
from tests.support.approved_rules import let_in

SEEDS = range(12)
EXCEPTIONS = 3
STATES = ("open", "paused", "open", "resolved")


def stands(number: int, revision: int) -> dict[str, Any]:
    """How an exception stands after so many changes."""
    return {
        "operation": "exception_alert", "business_id": f"X{number}", "revision": revision,
        "decision_id": f"d{number}-{revision}", "content_hash": f"{revision:064x}", "input_hash": f"{revision:064x}",
        "company_id": "C", "destination": "erp", "customer_id": "K", "order_no": "O", "shipment_no": f"S{number}",
        "exception_id": f"X{number}", "exception_code": "TRAFFIC", "exception_severity": "high",
        "exception_cause": "business", "exception_state": STATES[revision - 1], "opened_at": BEGINNING,
        "opening_date": BEGINNING.date(),
    }  # fmt: skip


def decision(row: dict[str, Any]) -> Decision:
    named = ("decision_id", "business_id", "revision", "company_id", "order_no", "shipment_no", "customer_id")
    return Decision(
        **{name: row[name] for name in (*named, "input_hash", "content_hash", "operation")},
        verdict="released", codes=(), warnings=(), reasons=[], ruleset_version="r", policy_version="p",
        as_of=BEGINNING, decided_at=BEGINNING, amount=None, currency=None, run_id="run", is_first_evaluation=True,
    )  # fmt: skip


class World:
    """One ERP, one outbox, and pushers that die."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self.engine, self.clock, self.rng = engine, Clock(), random.Random(seed)
        self.erp = SimulatedErp(self.rng, self.clock, is_one_step=bool(seed % 2))
        self.connection = Connection(
            connection="erp", kind="erp", adapter="frappe", owner="o",
            destination=Destination(
                operations=("exception_alert",), settle_s=SETTLE_S, max_concurrency=1, two_step=not seed % 2
            ),
        )  # fmt: skip

    def pusher(self) -> Pusher:
        return Pusher(self.engine, self.connection, self.erp, PushResult(), now=self.clock)

    def change(self, revision: int) -> None:
        rows = [stands(number, revision) for number in range(EXCEPTIONS)]
        decisions.record(self.engine, [decision(row) for row in rows])
        self.pusher().enqueue(rows)

    def turns(self, many: int, seconds: float) -> None:
        for _ in range(many):
            one = self.pusher()
            with suppress(Crash):
                one.recover()
                one.promote()
                one.send_due()
            self.clock.pass_s(seconds)

    def play(self) -> None:
        """Every change comes at some time; at last all is well for long enough."""
        for revision in range(1, len(STATES) + 1):
            self.change(revision)
            self.turns(self.rng.randint(1, 6), self.rng.uniform(1, 60))
        self.erp.is_well = True
        self.turns(60, 90)
        self.erp.settle()

    def undone(self) -> list[str]:
        """Exceptions that were acknowledged as resolved, and whose document says something else."""
        rows = outbox.rows(self.engine, "ACKED")
        over = {row.business_id for row in rows if row.revision == len(STATES)}
        last = {
            found.idempotency_key: found.state
            for found in (each.invoice for each in self.erp.documents.values())
            if isinstance(found, PostedAlert)
        }
        first = {
            row.business_id: row.idempotency_key for row in outbox.rows(self.engine) if row.revision == 1
        }
        return sorted(each for each in over if last[first[each]] != "resolved")


def home(tmp_path: Path, seed: int) -> Engine:
    engine = open_state(Settings(home=tmp_path / str(seed)))
    let_in(engine, "r")
    return engine


@pytest.mark.parametrize("seed", SEEDS)
def test_it_is_one_document_that_ends_as_the_exception_does(tmp_path: Path, seed: int) -> None:
    world = World(home(tmp_path, seed), seed)
    world.play()
    assert max((len(each) for each in world.erp.by_key.values()), default=0) <= 1
    rows = outbox.rows(world.engine)
    assert len(rows) == EXCEPTIONS * len(STATES)
    # What was refused for good waits for people, and what comes after it for that.
    assert {row.state for row in rows} <= {"ACKED", "DEAD", "READY"}
    stuck = {row.business_id for row in rows if row.state == "DEAD"}
    assert {row.business_id for row in rows if row.state == "READY"} <= stuck
    assert world.undone() == []
