"""What the push writes down of its attempts: beginnings and endings of all that is in flight, several in one transaction.

Belongs here: what is asked and written as an attempt begins, and as it ends. What happens in between is ``attempt``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import Connection as Db
from sqlalchemy import Engine

from state import attempts, credit_notes, decisions, kill_switch, leases, order_keys
from state.attempts import Ending, Receipt
from state.engine import reading
from state.group_commit import GroupCommit, Promised
from state.outbox_moves import Move, move_all
from state.outbox_rows import OutboxRow

LEASE_S = 120.0
_LET_GO: Mapping[str, Any] = {"leased_by": None, "leased_until": None}


@dataclass(frozen=True)
class _Change:
    """A row that begins (``state`` SENDING) or ends (any other), and what is written with it."""

    row: OutboxRow
    state: str
    values: Mapping[str, Any] = field(default_factory=dict)
    erp_id: str | None = None
    receipt: Receipt | None = None

    @property
    def begins(self) -> bool:
        """Whether it asks to be sent."""
        return self.state == "SENDING"


class Books:
    """The attempts of one worker. ``now`` is the machine's clock."""

    def __init__(self, engine: Engine, worker: str, now: Callable[[], datetime]) -> None:
        self._engine, self._worker, self._now = engine, worker, now
        self._group: GroupCommit[_Change, OutboxRow | None] = GroupCommit(self._write)
        self._ends: deque[Promised[OutboxRow | None]] = deque()
        self._flushing = Lock()

    def begin(self, rows: Sequence[OutboxRow]) -> list[OutboxRow | None]:
        """Each SENDING with an attempt begun; READY where a kill switch is pulled or it is not the row's turn any more; BLOCKED
        where the standing decision does not release these inputs; None where another worker has taken it over. On disk when
        this returns, with the endings that came before.

        One transaction, which holds the state store's write lock: nothing can fall between asking and beginning.
        """
        return self._group.now([_Change(row, "SENDING") for row in rows])

    def why_stopped(self, row: OutboxRow) -> str | None:
        """What has come between a row's beginning and its sending: a kill switch, or a decision that does not release these
        inputs any more. None when it may be sent."""
        with reading(self._engine) as db:
            switch = kill_switch.stops(db, row.destination, row.company)
            blocked = _blocked(db, [row], self._now(), kept=False)
        return str(switch) if switch else blocked.get(row.idempotency_key)

    def end(
        self,
        row: OutboxRow,
        state: str,
        values: Mapping[str, Any],
        erp_id: str | None = None,
        receipt: Receipt | None = None,
    ) -> None:
        """Write row, attempt, receipt and ledger down together: with the next beginning, or by ``flush``.

        Until then the row is SENDING: a crash makes it UNKNOWN, and it is looked up, as if it had come a moment earlier.
        A row that another worker has taken over meanwhile stays as that one left it.
        """
        self._ends.append(self._group.later(_Change(row, state, values, erp_id, receipt)))

    def flush(self) -> None:
        """Return when every ending is on disk; what kept one from it is raised."""
        with self._flushing:
            # What another thread hands in from here on is not waited for.
            ends = len(self._ends)
            self._group.flush()
            for each in [self._ends.popleft() for _ in range(ends)]:
                each.result()

    def _write(self, changes: Sequence[_Change]) -> list[OutboxRow | None]:
        """The rows as they are then; None for one that is no longer ours."""
        now = self._now()
        with self._engine.begin() as db:
            asked = [each.row for each in changes if each.begins]
            stopped = _stopped(db, asked)
            blocked = _blocked(db, [row for row in asked if row not in stopped], now, kept=True)
            going = [each for each in changes if each.row not in stopped]
            moved = move_all(db, [_move(each, blocked, now) for each in going], now)
            for row in stopped:
                leases.give_back(db, row)
            self._record(db, [(each, row) for each, row in zip(going, moved, strict=True) if row], now)
        after = dict(zip((each.row.idempotency_key for each in going), moved, strict=True))
        return [after.get(each.row.idempotency_key, each.row) for each in changes]

    def _record(self, db: Db, moved: Sequence[tuple[_Change, OutboxRow]], now: datetime) -> None:
        """Attempts and receipts of what has moved."""
        attempts.begin(db, [row for _, row in moved if row.state == "SENDING"], self._worker, now)
        ended = [(each, row) for each, row in moved if not each.begins]
        endings = [
            Ending(
                row.idempotency_key,
                row.attempt_count,
                row.state,
                row.last_error,
                each.erp_id,
                each.values.get("seen_as"),
            )
            for each, row in ended
            if row.attempt_count
        ]
        attempts.end(db, endings, now)
        attempts.keep_receipts(db, [each.receipt for each, _ in ended if each.receipt])
        for _, row in ended:
            if row.state == "ACKED" and row.operation == credit_notes.OPERATION:
                credit_notes.set_free(db, row)


def _move(change: _Change, blocked: Mapping[str, str], now: datetime) -> Move[OutboxRow]:
    row = change.row
    if not change.begins:
        return Move(row, change.state, {**change.values, **_LET_GO})
    if why := blocked.get(row.idempotency_key):
        return Move(row, "BLOCKED", {"last_error": why, **_LET_GO})
    # From here on it may exist there, until the contrary is proven.
    begun = {
        "attempt_count": row.attempt_count + 1,
        "may_exist": True,
        "leased_until": now + timedelta(seconds=LEASE_S),
        "not_before": None,
    }
    return Move(row, "SENDING", begun)


def _stopped(db: Db, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    """Those that a kill switch keeps from being sent, or something that has to come before them."""
    scopes = {(row.destination, row.company) for row in rows}
    pulled = {scope for scope in scopes if kill_switch.stops(db, *scope)}
    early = order_keys.out_of_turn(db, rows)
    return [row for row in rows if (row.destination, row.company) in pulled or row.idempotency_key in early]


def _blocked(db: Db, rows: Sequence[OutboxRow], now: datetime, *, kept: bool) -> dict[str, str]:
    """Key → what forbids to send it now: the standing decision of its flow, or of a credit note its approval and its gate,
    which is asked again; ``kept``: and what that says is."""
    notes = [row for row in rows if row.operation == credit_notes.OPERATION]
    found = {row.idempotency_key: credit_notes.why_blocked(db, row, now, kept=kept) for row in notes}
    for operation in {row.operation for row in rows} - {credit_notes.OPERATION}:
        judged = [row for row in rows if row.operation == operation]
        keys = [(row.business_id, row.revision) for row in judged]
        released = decisions.released_inputs(db, keys, operation)
        for row in judged:
            if released.get((row.business_id, row.revision)) != row.input_hash:
                found[row.idempotency_key] = "the decision no longer releases these inputs"
    return {key: why for key, why in found.items() if why}
