"""What a push did, flow by flow: sums, and in words what did not arrive.

Belongs here: in which sum a row counts. What is done with it is ``push``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from activation.document import OPERATION
from state import credit_notes
from state.order_keys import Wait
from state.outbox_rows import OutboxEntry

_BILLING = frozenset({OPERATION, credit_notes.OPERATION})
_DONE = frozenset({"ACKED", "RECONCILED"})


@dataclass
class Counts:
    """What one push did of one flow. ``failed`` are released rows that are not posted and not held by a person's need;
    ``cancelled`` those that two people decided never to send: nothing is left to do about them."""

    candidates: int = 0
    posted: int = 0
    already_posted: int = 0
    failed: int = 0
    held: int = 0
    blocked_at_recheck: int = 0
    cancelled: int = 0

    @property
    def unposted(self) -> int:
        """Released, and not in the other system."""
        return self.failed + self.held


@dataclass
class PushResult(Counts):
    """What one push did of invoices and credit notes; ``others``: of each other flow, by its operation."""

    others: dict[str, Counts] = field(default_factory=dict)
    amount_by_currency: dict[str, Decimal] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def of(self, operation: str) -> Counts:
        """Where rows of an operation are counted."""
        return self if operation in _BILLING else self.others.setdefault(operation, Counts())

    @property
    def unposted_of_all(self) -> int:
        """The same over all flows."""
        return self.unposted + sum(each.unposted for each in self.others.values())

    def refuse(self, row: Mapping[str, Any], why: str) -> None:
        """A released row that does not come into the outbox as it is."""
        self.of(row["operation"]).failed += 1
        self.errors.append(f"{row['shipment_no']}: {why}")

    def add(
        self, row: OutboxEntry, before: str | None, wait: Wait | None, why_ready: Mapping[str, str | None]
    ) -> None:
        """Count a row as it stands now, which was in the state ``before``. ``why_ready``: company → why what waits for nothing
        else is not sent."""
        done, was_done = row.state in _DONE, before in _DONE
        fate = "held" if wait and wait.is_stuck else _fate(row.state, was_done=was_done)
        counts = self.of(row.operation)
        setattr(counts, fate, getattr(counts, fate) + 1)
        if done and not was_done and row.operation in _BILLING:
            amount = self.amount_by_currency.get(row.currency, Decimal(0))
            self.amount_by_currency[row.currency] = amount + row.amount
        elif not done and row.state != "CANCELLED":
            why = why_ready.get(row.company) if row.state == "READY" else row.last_error
            why = wait.told if wait else why
            self.errors.append(f"{row.shipment_no}: {row.state}: {why}")


def _fate(state: str, *, was_done: bool) -> str:
    """The field of the result that a row of this state counts in."""
    if state in _DONE:
        return "already_posted" if was_done else "posted"
    fates = {"BLOCKED": "blocked_at_recheck", "HELD": "held", "CONFLICT": "held", "CANCELLED": "cancelled"}
    return fates.get(state, "failed")
