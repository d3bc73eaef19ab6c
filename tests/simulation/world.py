"""One seed: a few released invoices, in half the worlds with the confirmations that go before them, two workers that crash and come back, an operator,
in a quarter of them ``people`` who cancel, credit and bill again, and the ERP of ``erp``.

What has to hold after every step, and in the end once the ERP is well again, is ``promises``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine

from activation.document import document_of, effect_of
from activation.push import Pusher
from activation.result import PushResult
from activation.wave import Sender
from core.connections import Connection, Destination
from state import decisions, kill_switch, outbox
from state.decisions import Decision
from state.kill_switch import Scope
from state.outbox_rows import OutboxEntry
from state.transitions import GIVEN_UP
from tests.simulation import people, promises
from tests.simulation.erp import BEGINNING, SETTLE_S, Clock, Crash, SimulatedErp
from tests.simulation.promises import Broken
from tests.support.approved_rules import let_in

INVOICES, MANY = 3, 6
STEPS, WORKERS = 25, 2
LATE_ACTS = 8
"""In so many steps people go on once the ERP is well again: what they began before is finished then."""
NEAR_S, CALM = 0.05, 5
"""How long a call takes at most to an ERP that is near, and how much calmer it is: several invoices are posted there before
the first of them is read back, and a crash finds them so."""
ACTS = {"work": 60, "wait": 30, "stop": 4, "go_on": 4, "take_back": 4, "give_again": 2}
"""What happens next, and how often."""
DONE = frozenset({"ACKED", "BLOCKED", "CANCELLED", *GIVEN_UP})
EVERYTHING = Scope("global")


@dataclass
class Simulation:
    """One world, from one seed. ``settle_s`` is what the connection declares to the push."""

    seed: int
    engine: Engine
    settle_s: float = SETTLE_S
    depth: int = 0
    busy: int = 0

    def run(self) -> None:
        """Play it to its end; Broken when a promise does not hold.

        In two worlds of three a worker begins two or three rows in one transaction, as one does that sends so many at a time.
        """
        together = 1 + (self.seed // 8 + 2) % 3
        with patch.object(Sender, "_together", lambda _: together):
            self._play()

    def _play(self) -> None:
        random.seed(self.seed)
        self.rng, self.clock = random.Random(self.seed), Clock()
        self.erp = SimulatedErp(self.rng, self.clock, self.rng.random() < 0.5, self._meanwhile)
        self.is_near = self.rng.random() < 0.3
        self.acts = ACTS
        if self.seed % 8 > 5:
            self.acts, self.erp.strict = ACTS | people.ACTS, people.REFUSED_MORE
        if self.is_near:
            self.erp.travel_s, self.erp.calm = NEAR_S, CALM
        self.connection = Connection(
            connection="erp", kind="erp", adapter="frappe", owner="finance",
            destination=Destination(
                settle_s=self.settle_s, max_concurrency=WORKERS, two_step=not self.erp.is_one_step,
                operations=("fulfilment", "invoice") if self.seed % 2 else ("invoice",),
            ),
        )  # fmt: skip
        self.rows = [row_of(number) for number in range(MANY if self.is_near else INVOICES)]
        if self.seed % 2:
            # As a push has them: what comes first is enqueued first.
            self.rows = [*map(confirmation_of, self.rows), *self.rows]
        let_in(self.engine, "r")
        decisions.record(self.engine, [released(row) for row in self.rows])
        keys = {(row["operation"], row["business_id"]): key_of(row) for row in self.rows}
        self.goes_first = {
            key: keys["fulfilment", business_id]
            for (operation, business_id), key in keys.items()
            if operation == "invoice" and self.seed % 2
        }
        """Invoice → its confirmation, by their keys."""
        self.row_of_key = {key_of(row): row for row in self.rows}
        self.follows: dict[str, str] = {}
        """Invoice in a next revision → the one before."""
        self.people = people.People(self)
        self.taken_back: dict[str, dict[str, Any]] = {}
        """Key → row, of what must not be sent now."""
        self._decisions = count(1)
        self.given_again: set[str] = set()
        """Keys that were given again before the ERP had anything of them."""
        self.workers = [self._worker() for _ in range(WORKERS)]
        self.workers[0].enqueue(self.rows)
        for step in range(STEPS):
            self._step()
            promises.after_a_step(self, step)
        self._end()

    def _worker(self) -> Pusher:
        """Another that pushes: of what the destination allows each has one attempt at a time."""
        worker = Pusher(self.engine, self.connection, self.erp, PushResult(), left=None, now=self.clock)
        worker.enter()
        return worker

    def _step(self) -> None:
        what = self.rng.choices(tuple(self.acts), tuple(self.acts.values()))[0]
        if what == "work":
            self._work(self.rng.randrange(2))
        elif what == "wait":
            self.clock.pass_s(self.rng.choice((1, 10, 45, 130)))
            self.erp.settle()
        elif what == "stop":
            kill_switch.pull(self.engine, EVERYTHING, "anna", "it looks wrong", self.clock())
        elif what == "go_on":
            self._release_switch()
        elif what == "give_again":
            self._give_again()
        elif what in people.ACTS:
            self.people.do(what)
        else:
            row = self.rng.choice(self.rows)
            self.taken_back[key_of(row)] = row
            changed = {"verdict": "blocked", "codes": ("POD_VOIDED",), "input_hash": f"voided {self.clock()}"}
            voided = f"{row['decision_id']} voided {next(self._decisions)}"
            decisions.record(self.engine, [released(row, decision_id=voided, **changed)])

    def _work(self, number: int) -> None:
        """What one round of a push does; a crash ends it, and another process takes its place."""
        worker = self.workers[number]
        if not self.depth:
            self.busy = number
        stopped = bool(kill_switch.pulled(self.engine))
        before = self.erp.creates
        try:
            worker.recover()
            worker.promote()
            worker.left = self.rng.randint(1, MANY if self.is_near else 2)
            worker.send_due()
        except Crash:
            # What the others find out of a process that has ended.
            worker.leave()
            self.workers[number] = self._worker()
        if stopped and self.erp.creates != before and not self.depth:
            raise Broken(f"seed {self.seed}: something was sent while the kill switch was pulled")

    def _meanwhile(self) -> None:
        """The other worker, or the operator, while a call is on its way."""
        if self.depth:
            return
        self.depth += 1
        try:
            self._work(1 - self.busy)
        finally:
            self.depth -= 1

    def _release_switch(self) -> None:
        if kill_switch.pulled(self.engine):
            for person in ("boris", "carla"):
                kill_switch.release(self.engine, EVERYTHING, person, "it is right", self.clock())

    def _give_again(self) -> None:
        """What was taken back longest ago is released as it was, and comes to the push."""
        if self.taken_back:
            key = next(iter(self.taken_back))
            row = self.taken_back.pop(key)
            if not self.erp.by_key[key]:
                self.given_again.add(key)
            # Taken back and given again within one instant, it is another decision all the same.
            self._release(row)

    def _release(self, row: dict[str, Any]) -> None:
        again = f"{row['decision_id']} again {next(self._decisions)}"
        decisions.record(self.engine, [released(row, decision_id=again)])
        self.workers[0].enqueue([row])
        self.people.hear_of(key_of(row))

    def bill(self, row: dict[str, Any], after: str | None = None, follows: str | None = None) -> str:
        """Release a row, perhaps one that is new: ``after`` its confirmation, and the revision that it ``follows``. Its key."""
        key = key_of(row)
        if key not in self.row_of_key:
            self.rows.append(row)
            self.row_of_key[key] = row
            self.goes_first |= {key: after} if after else {}
            self.follows |= {key: follows} if follows else {}
        self._release(row)
        return key

    def _end(self) -> None:
        """Everything is well from now on: what was released is done, or says that it waits for somebody."""
        self.erp.is_well = True
        self._release_switch()
        worker = self._worker()
        for step in range(60):
            self.clock.pass_s(300)
            self.erp.settle()
            worker.left = None
            if step < LATE_ACTS and self.acts is not ACTS:
                for _ in range(3):
                    self.people.do_any()
            worker.recover()
            worker.promote()
            worker.send_due()
            promises.after_a_step(self, STEPS + step)
            if not self._forgotten() and (step >= LATE_ACTS or self.acts is ACTS):
                break
        for row in self._forgotten():
            raise Broken(f"seed {self.seed}: {row.shipment_no} is forgotten as {row.state}")
        promises.in_the_end(self)

    def _forgotten(self) -> list[OutboxEntry]:
        """What is neither done nor waits for what people have to decide on first, or have taken back."""
        rows = outbox.rows(self.engine)
        states = {row.idempotency_key: row.state for row in rows}
        return [
            row
            for row in rows
            if row.state not in DONE
            and not (
                row.state == "READY"
                and states.get(self.goes_first.get(row.idempotency_key, "")) in DONE - {"ACKED", "CANCELLED"}
            )
        ]


def key_of(row: dict[str, Any]) -> str:
    return effect_of(row, document_of(row)).idempotency_key


def confirmation_of(invoice: dict[str, Any]) -> dict[str, Any]:
    number = invoice["business_id"].removeprefix("b-")
    line = f'[{{"line_id": "L{number}", "order_line_id": "L{number}", "item_id": "X", "quantity": "1", "uom": "EA"}}]'
    own = {
        "operation": "fulfilment", "decision_id": f"f-{number}", "delivered_at": BEGINNING, "lines_json": line,
        "content_hash": f"fc{number}", "input_hash": f"fi{number}",
    }  # fmt: skip
    return invoice | own


def row_of(number: int) -> dict[str, Any]:
    line = (
        f'[{{"line_id": "L{number}", "charge_key": "S{number}|L{number}|goods|1", "order_line_id": "L{number}", '
        '"item_id": "X", "quantity": "1", "uom": "EA", "net_price": "100.00", "net_amount": "100.00", '
        '"tax_code": "DE19", "tax_rate_percent": "19", "income_account": null}]'
    )
    return {
        "business_id": f"b-{number}", "revision": 1, "decision_id": f"d-{number}", "company_id": "WBDE",
        "destination": "erp", "operation": "invoice", "customer_id": "C1", "order_no": f"O{number}",
        "shipment_no": f"S{number}", "po_no": None, "currency": "EUR", "pod_id": f"P{number}",
        "delivery_date": date(2026, 11, 12), "posting_date": date(2026, 11, 13), "payment_terms": None,
        "net_total_amount": Decimal("100.00"), "tax_total_amount": Decimal("19.00"),
        "grand_total_amount": Decimal("119.00"), "lines_json": line, "content_hash": f"c{number}",
        "input_hash": f"i{number}",
    }  # fmt: skip


def released(row: dict[str, Any], **changes: Any) -> Decision:
    fields: dict[str, Any] = {
        "decision_id": f"{row['decision_id']} {changes.get('input_hash', '')}", "business_id": row["business_id"],
        "revision": row["revision"], "company_id": row["company_id"], "order_no": row["order_no"], "shipment_no": row["shipment_no"],
        "customer_id": "C1", "verdict": "released", "codes": (), "warnings": (), "reasons": [],
        "input_hash": row["input_hash"], "content_hash": row["content_hash"], "ruleset_version": "r",
        "policy_version": "p", "as_of": BEGINNING, "decided_at": BEGINNING, "amount": Decimal("119.00"),
        "currency": "EUR", "run_id": "run", "is_first_evaluation": True, "operation": row["operation"],
    }  # fmt: skip
    return Decision(**(fields | changes))
