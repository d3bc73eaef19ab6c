"""What people do in a world: decide about what the push gave up, credit what is posted, and bill it again.

Whoever confirms is drawn as blindly as whoever proposed, so that one person tries to be two.
Belongs here: the acts, and what became of them. What must hold all the while is ``promises``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from activation import corrections, operators
from core.errors import WaybillError
from state import credit_notes, outbox, proposals
from state.outbox_rows import OutboxEntry
from state.transitions import GIVEN_UP
from tests.simulation.promises import Broken

if TYPE_CHECKING:
    from tests.simulation.world import Simulation

ACTS = {"decide": 20, "confirm": 16, "credit": 12, "answer": 12, "bill_again": 14}
"""How often of so many acts of a world with people."""
PEOPLE = ("anna", "boris", "carla")
REFUSED_MORE = 6
"""How many times as often an ERP refuses where people are: what is given up is what they decide about."""


class People:
    """Those of one world."""

    def __init__(self, world: Simulation) -> None:
        self._world, self._rng = world, world.rng
        self.did: Counter[str] = Counter()
        self.cancelled: set[str] = set()
        """Keys that two people cancelled and that nobody released since."""
        self.ever_cancelled: set[str] = set()
        self._to_bill: dict[str, dict[str, Any]] = {}
        """Key → row, of what was cancelled and set free."""
        self._asked_by: dict[str, str] = {}
        """Key of a credit note → who asked for it."""

    def do(self, what: str) -> None:
        """One of ``ACTS``, where there is something to do it to; what is refused is no harm."""
        try:
            getattr(self, f"_{what}")()
        except WaybillError as refused:
            self.did[f"{what} refused by {type(refused).__name__}"] += 1

    def hear_of(self, released: str) -> None:
        """What was set free and is released, by whomever, may be sent."""
        if self._to_bill.pop(released, None) is not None:
            self.cancelled.discard(released)

    def do_any(self) -> None:
        """One of them, as often as each."""
        self.do(self._rng.choices(tuple(ACTS), tuple(ACTS.values()))[0])

    def _decide(self) -> None:
        found = outbox.rows(self._world.engine, *sorted(GIVEN_UP), "CANCELLED")
        if not found:
            return
        row = self._rng.choice(found)
        targets = ["bill-again"] if row.state == "CANCELLED" else ["retry", "look-up", "cancel", "cancel"]
        target = self._rng.choice(targets)
        if target in {"cancel", "bill-again"} and self._rng.random() < 0.5:
            self._remove_drafts(row)
        self._ask(operators.propose, row, target)
        if self._rng.random() < 0.5:
            self._confirm()

    def _remove_drafts(self, row: OutboxEntry) -> None:
        """By hand, in the ERP."""
        erp = self._world.erp
        drafts = [each for each in erp.by_key[row.idempotency_key] if each.invoice.status == "draft"]
        for each in drafts:
            erp.remove(each)
            self.did["draft removed"] += 1

    def _confirm(self) -> None:
        waiting = proposals.waiting(self._world.engine)
        if not waiting:
            return
        proposal = self._rng.choice(waiting)
        entry = outbox.of_keys(self._world.engine, [proposal.idempotency_key])[0]
        actor = self._rng.choice(PEOPLE)
        moved = self._ask(operators.confirm, entry, actor=actor)
        if actor == proposal.proposed_by:
            raise Broken(f"seed {self._world.seed}: {actor} alone decided about {entry.shipment_no}")
        self.did[f"{proposal.from_state} → {moved.state}"] += 1
        if moved.state == "CANCELLED":
            self.cancelled.add(moved.idempotency_key)
            self.ever_cancelled.add(moved.idempotency_key)
        if proposal.from_state == "CANCELLED":
            self._set_free(moved)

    def _set_free(self, row: OutboxEntry) -> None:
        """A credit note is asked for anew; anything else is released again."""
        if row.operation == credit_notes.OPERATION:
            self.cancelled.discard(row.idempotency_key)
        else:
            self._to_bill[row.idempotency_key] = self._world.row_of_key[row.idempotency_key]

    def _ask(self, act: Any, row: OutboxEntry, *args: str, actor: str | None = None) -> Any:
        world = self._world
        who = actor or self._rng.choice(PEOPLE)
        about = (row.idempotency_key, *args, who, "it is so")
        return act(world.engine, [world.connection], *about, now=world.clock, opened=lambda _: world.erp)

    def _bill_again(self) -> None:
        """What was set free under its own key or by another company, and what was credited in its next revision."""
        self._revise()
        if not self._to_bill:
            return
        key = self._rng.choice(sorted(self._to_bill))
        row = self._to_bill.pop(key)
        if row["operation"] == "invoice" and self._rng.random() < 0.4:
            changes = {"company_id": "WBAT", "business_id": f"{row['business_id']}-at"}
            before = self._world.goes_first.get(key)
            after = self._world.bill(self._world.row_of_key[before] | changes) if before else None
            self._world.bill(row | changes, after)
            self.did["billed by another company"] += 1
        elif key not in self._world.taken_back:
            self.cancelled.discard(key)
            self._world.bill(row)
            self.did["billed again"] += 1
        else:
            self._to_bill[key] = row

    def _revise(self) -> None:
        world = self._world
        for note in outbox.rows(world.engine, "ACKED"):
            if note.operation != credit_notes.OPERATION:
                continue
            credited = credit_notes.key_of(note, "invoice")
            if credit_notes.key_of(note, "invoice", note.revision + 1) not in world.row_of_key:
                row = world.row_of_key[credited] | {"revision": note.revision + 1}
                world.bill(row, world.goes_first.get(credited), credited)
                self.did["billed in a next revision"] += 1

    def _credit(self) -> None:
        posted = [row for row in outbox.rows(self._world.engine, "ACKED") if row.operation == "invoice"]
        if posted:
            row, actor = self._rng.choice(posted), self._rng.choice(PEOPLE)
            note = corrections.ask(
                self._world.engine, row.idempotency_key, actor, "wrong", self._world.clock()
            )
            self._asked_by[note.idempotency_key] = actor
            if self._rng.random() < 0.5:
                self._answer()

    def _answer(self) -> None:
        engine = self._world.engine
        waiting = credit_notes.waiting(engine)
        if not waiting:
            return
        note, actor = self._rng.choice(waiting), self._rng.choice(PEOPLE)
        given: credit_notes.Answer = "granted" if self._rng.random() < 0.8 else "rejected"
        credit_notes.answer(engine, note.idempotency_key, given, actor, "seen", self._world.clock())
        if actor == self._asked_by[note.idempotency_key]:
            raise Broken(f"seed {self._world.seed}: {actor} alone credited {note.shipment_no}")
        self.did[f"credit {given}"] += 1
