"""The push: what the gate released becomes posted documents, each once, and the result says which did not.

Belongs here: the order of things (enqueue, recover, lease, send, reconcile) and the sums. What one attempt
does is ``attempt``; what a system understands is its module in ``destinations``.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from activation.allowance import BEGINS_WITHIN_S, TURNS, Allowance
from activation.attempt import Attempt
from activation.backoff import GIVE_UP
from activation.books import LEASE_S
from activation.breaker import Breaker
from activation.destinations.base import Destination
from activation.destinations.opening import open_destination
from activation.document import document_of, effect_of
from activation.pace import Pace
from activation.recovery import Recovery
from activation.result import PushResult
from activation.retry_budget import RetryBudget
from activation.wave import Sender
from activation.worker import new_worker
from core.clock import utc_now
from core.connections import Connection
from core.errors import ConfigurationError, WaybillError
from state import credit_notes, differences, kill_switch, leases, order_keys, outbox, waiting
from state.engine import reading
from state.outbox_intake import enqueue_all
from state.outbox_rows import NewEffect, OutboxRow

PATIENCE_S = 20.0
"""How long one push waits for rows whose retry is due soon; the rest is for the next push."""

_PAUSE_S, _PAUSE_UNANSWERED_S = 0.2, 2.0
_NOBODYS_KEY = "0" * 64
"""What a probe looks up: no effect has it."""


def push(
    engine: Engine,
    connections: Sequence[Connection],
    rows: Sequence[Mapping[str, Any]],
    limit: int | None = None,
    patience_s: float | None = None,
) -> PushResult:
    """Push the released rows (columns of the flows' outbound models), each to the destination it names. What a destination
    does not take is left out.

    With a ``limit`` so many attempts are begun at most; what is left over waits for the next push, as does what is not
    due within ``patience_s`` seconds (None: ``PATIENCE_S``).

    Everything is tried before anything is reported as failed. ConfigurationError when a row names a
    destination that no connection offers.
    """
    result = PushResult()
    by_name = {each.connection: each for each in connections if each.destination is not None}
    grouped = taken(rows, by_name)
    for name in sorted(grouped.keys() - by_name.keys()):
        raise ConfigurationError(
            f"Released rows name {name!r}, which no connection file offers as a destination.",
            remedy=f"Add a `destination:` section to the file of {name}.",
        )
    for row in (row for some in grouped.values() for row in some):
        result.of(row["operation"]).candidates += 1
    for name, connection in by_name.items():
        destination = open_destination(connection)
        try:
            one = Pusher(engine, connection, destination, result, limit)
            one.run(grouped[name], patience_s)
            limit = one.left
        finally:
            destination.close()
    return result


def taken(
    rows: Iterable[Mapping[str, Any]], by_name: Mapping[str, Connection]
) -> dict[str, list[Mapping[str, Any]]]:
    """Destination → its rows, without those of operations that it does not take."""
    grouped: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        known = by_name.get(row["destination"])
        if known is None or row["operation"] in operations_of(known):
            grouped[row["destination"]].append(row)
    return grouped


def operations_of(connection: Connection) -> tuple[str, ...]:
    """What a connection takes."""
    return connection.destination.operations if connection.destination else ()


def recover(engine: Engine, connections: Sequence[Connection]) -> None:
    """Settle what an earlier push left in doubt, sending nothing: to be done before the gate decides again."""
    for connection in connections:
        if connection.destination is None:
            continue
        destination = open_destination(connection)
        try:
            one = Pusher(engine, connection, destination, PushResult())
            one.enter()
            try:
                one.recover()
            finally:
                one.leave()
        finally:
            destination.close()


class Pusher:
    """One push to one destination. ``now`` is the machine's clock."""

    def __init__(
        self,
        engine: Engine,
        connection: Connection,
        destination: Destination,
        result: PushResult,
        left: int | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._engine, self._connection, self._result = engine, connection, result
        self.left = left
        """Attempts that may still be begun; None: any number."""
        self._name = connection.connection
        self._now = now
        self._attempt = Attempt(engine, connection, destination, new_worker(), now)
        self._destination = destination
        self._recovery = Recovery(engine, self._name, self._attempt, self._answers)
        self._pause_s = _PAUSE_S
        self._breaker = Breaker(engine, self._name, now)
        self._retries = RetryBudget(engine, self._name, now)
        self._allowance = Allowance(engine, connection, self._attempt.worker, now)
        self._pace = Pace(connection.destination.max_per_minute if connection.destination else None)

    def run(self, rows: Sequence[Mapping[str, Any]], patience_s: float | None = None) -> None:
        """Enqueue, recover what an earlier push left, send until nothing is due, and add up.

        Nothing is sent while a reconciliation's difference is open, or a kill switch is pulled. ConfigurationError when
        another push to the destination goes by other settings.
        """
        self.enter()
        try:
            self._run(rows, PATIENCE_S if patience_s is None else patience_s)
        finally:
            self.leave()

    def enter(self) -> None:
        """Be one of the destination's pushers; ConfigurationError when another one goes by other settings."""
        self._allowance.stay()

    def leave(self) -> None:
        """Nothing is under way any more: the others may have this one's share."""
        with self._engine.begin() as db:
            self._retries.keep(db)
            self._allowance.leave(db)

    def _run(self, rows: Sequence[Mapping[str, Any]], patience_s: float) -> None:
        keys = [*credit_notes.on_their_way(self._engine, self._name), *self.enqueue(rows)]
        before = outbox.states_of(self._engine, keys)
        self.recover()
        stopped = differences.why_stopped(self._engine, self._name) or self._switched_off()
        if stopped is None:
            self._send_all(patience_s)
        else:
            self._result.errors.append(stopped)
        self._add_up(keys, before)

    def _switched_off(self, company: str | None = None) -> str | None:
        with reading(self._engine) as db:
            switch = kill_switch.stops(db, self._name, company)
        return f"{self._name}: {switch}" if switch else None

    def _why_ready(self, company: str) -> str | None:
        return self._switched_off(company) or (str(self._breaker) if self._breaker.is_open else None)

    def _send_all(self, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while True:
            self.promote()
            sent = self.send_due()
            self.recover()
            if self._breaker.is_open or (not sent and not self._wait_for_more(deadline)):
                break

    def enqueue(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Put the rows into the outbox, all in one transaction; the keys of those that are in it as they are."""
        effects: list[tuple[Mapping[str, Any], NewEffect]] = []
        for row in rows:
            try:
                effects.append((row, effect_of(row, document_of(row), operations_of(self._connection))))
            except ValueError as error:
                self._result.refuse(row, str(error))
        with self._engine.begin() as db:
            said = enqueue_all(db, [effect for _, effect in effects], self._now())
        keys: list[str] = []
        for row, effect in effects:
            answer = said[effect.idempotency_key]
            if isinstance(answer, WaybillError):
                self._result.refuse(row, str(answer))
            elif answer == "changed":
                self._result.refuse(row, "it changed after something was sent: a credit note is needed")
            else:
                keys.append(effect.idempotency_key)
        return keys

    def recover(self) -> None:
        """Take over from workers that are gone, and look up what is UNKNOWN."""
        self._allowance.stay()
        self._pause_s = _PAUSE_S if self._recovery.run(self._now()) else _PAUSE_UNANSWERED_S

    def promote(self) -> None:
        """RETRY_WAIT rows that are due are READY again, as many as the budget allows; after three days without an answer
        they are HELD."""
        now = self._now()
        waiting.give_up(self._engine, self._name, now, now - GIVE_UP)
        if waiting.is_due(self._engine, self._name, now):
            self._retries.use(lambda db, left: waiting.make_ready(db, self._name, now, left))

    def send_due(self) -> int:
        """Send everything that is due; the number of attempts."""
        declared = self._connection.destination
        workers = declared.max_concurrency if declared else 1
        sent = 0
        while many := self._breaker.at_a_time(workers * TURNS, self._answers):
            until = self._now() + timedelta(seconds=BEGINS_WITHIN_S)
            leased = self._lease(many, min(many, workers))
            if not leased:
                break
            sent += len(leased)
            self.left = None if self.left is None else self.left - len(leased)
            self._pace.begin_in(self._allowance.delay_s)
            at_a_time = self._allowance.at_a_time
            Sender(self._attempt, self._breaker, self._retries, at_a_time, self._pace, until).send_all(leased)
            if self._now() >= until:
                # What did not begin goes first: it is given back by the next look at what is left behind.
                break
        self._allowance.rest()
        return sent

    def _lease(self, most: int, together: int) -> list[OutboxRow]:
        """Up to ``most`` rows that this push may begin now; all pushers may have ``together`` attempts under way."""
        now = self._now()
        self._allowance.is_short = False
        return leases.lease(
            self._engine,
            self._name,
            self._attempt.worker,
            now,
            now + timedelta(seconds=LEASE_S),
            most if self.left is None else min(most, self.left),
            lambda db, due: self._allowance.take(db, due, together),
        )

    def _answers(self) -> bool:
        """Whether the destination answers a look-up; never an invoice, which could be lost on the way."""
        try:
            self._destination.look_up(_NOBODYS_KEY)
        except WaybillError:
            return False
        return True

    def _wait_for_more(self, deadline: float) -> bool:
        """Whether something becomes due soon enough to wait for it here."""
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        if self._allowance.is_short:
            time.sleep(self._pause_s)
            return True
        if self._retries.left < 1:
            return False
        soon = self._now() + timedelta(seconds=left)
        if not outbox.is_waiting(self._engine, self._name, soon):
            return False
        time.sleep(self._pause_s)
        return True

    def _add_up(self, keys: Sequence[str], before: Mapping[str, str]) -> None:
        """The sums, from what the outbox says now."""
        rows = outbox.of_keys(self._engine, keys)
        waits = order_keys.waits_for(self._engine, [row for row in rows if row.state == "READY"])
        ready = {row.company for row in rows if row.state == "READY"}
        why_ready = {company: self._why_ready(company) for company in sorted(ready)}
        for row in rows:
            self._result.add(row, before.get(row.idempotency_key), waits.get(row.idempotency_key), why_ready)
