"""What each ending of an attempt means for its row, and what a look at the system under its key does.

Belongs here: from a definite answer, an error, or what was found or not, to the state in which the row goes on; and what is kept of
it. What is asked and sent, and in which order, is ``attempt``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine

from activation.backoff import wait_s
from activation.books import Books
from activation.destinations.base import (
    NotAppliedError,
    PostedDelivery,
    PostedInvoice,
    UncertainError,
    differences,
    is_behind,
)
from contracts.outbound import OutboundDocument
from core.connections import Connection
from core.errors import WaybillError
from core.flows import KEPT_UP
from state import attempts, outbox
from state.outbox_rows import OutboxRow
from state.transitions import SeenAs

MAX_ATTEMPTS = 10
_LOOK_APART_S = 1.0
_FORGOTTEN = "not found, and the system may have forgotten the key: a second one would not be refused"
_SEEN: Final[Mapping[SeenAs, str]] = {
    "draft": "found as a draft",
    "behind": "found, and not up to date yet",
}
_STAYS: Final[Mapping[SeenAs, str]] = {
    "draft": "it stays a draft",
    "behind": "it does not become what it is told to be",
}
_UNSEEN = "made or found as a draft, and then not found"


@dataclass(frozen=True)
class Endings:
    """Of one worker's attempts at one destination. ``now`` is the machine's clock.

    What a row's document was last seen as stays with the row until a look shows another thing: an ending that learned nothing of
    it, a recheck that blocks it and a person's word change nothing of that.
    """

    engine: Engine
    connection: Connection
    books: Books
    now: Callable[[], datetime]

    def is_two_step(self, row: OutboxRow) -> bool:
        """Whether a document that was made has to be posted: what is kept up is never a draft."""
        declared = self.connection.destination
        return row.operation not in KEPT_UP and (declared is None or declared.two_step)

    @property
    def _settle_s(self) -> float:
        return self.connection.destination.settle_s if self.connection.destination else 0.0

    @property
    def _is_unique(self) -> bool:
        return bool(self.connection.destination and self.connection.destination.enforces_uniqueness)

    def was_seen(self, row: OutboxRow) -> bool:
        """Whether a document was made or a look showed one, where nothing but our own looking refuses a second one."""
        if self._is_unique or row.seen_as == "gone":
            return False
        return row.seen_as is not None or (
            row.operation in KEPT_UP and outbox.was_made_before(self.engine, row)
        )

    def may_post(self, row: OutboxRow, document: OutboundDocument, found: Sequence[PostedInvoice]) -> bool:
        """Whether what was found is this document's draft, or the document that is kept up and behind, and nothing else."""
        if len(found) != 1 or differences(document, found[0]):
            return False
        return is_behind(document, found[0]) or (found[0].status == "draft" and self.is_two_step(row))

    def why_doubtful(self, row: OutboxRow, *, existed: bool) -> str | None:
        """Why nothing is sent although nothing is found; None when it may be.

        Not where it was sent before and what would refuse a second one is gone, nor where a list showed it a moment ago and
        does not now.
        """
        if existed and self._is_forgotten(row):
            return _FORGOTTEN
        return _UNSEEN if self.was_seen(row) else None

    def find_out(self, row: OutboxRow, document: OutboundDocument, found: list[PostedInvoice]) -> str:
        """What became of an UNKNOWN row."""
        if found:
            return self.judge_found(row, document, found)
        if self._is_forgotten(row):
            return self.move(row, "HELD", {"last_error": _FORGOTTEN})
        if self._is_unique:
            return self.move(row, "RETRY_WAIT", {"not_before": self.now(), "last_error": "not found"})
        return self._look_again(row)

    def _look_again(self, row: OutboxRow) -> str:
        """Where the system would take it twice: wait until it must have settled, then look twice, apart."""
        now = self.now()
        if row.not_before is None:
            settled = row.updated_at + timedelta(seconds=self._settle_s)
            if now < settled:
                return "UNKNOWN"
            apart = {"not_before": now + timedelta(seconds=_LOOK_APART_S), "last_error": "not found once"}
            return self.move(row, "UNKNOWN", apart)
        if now < row.not_before:
            return "UNKNOWN"
        # Whatever was seen is gone, and nothing is on its way any more.
        gone = {"not_before": now, "last_error": "not found twice", "seen_as": "gone"}
        return self.move(row, "RETRY_WAIT", gone)

    def _is_forgotten(self, row: OutboxRow) -> bool:
        """True when the system that enforces uniqueness may not know any more that it has seen the key."""
        declared = self.connection.destination
        lifetime = declared.key_lifetime_s if declared and declared.enforces_uniqueness else None
        return lifetime is not None and self.now() >= row.enqueued_at + timedelta(seconds=lifetime)

    def judge_found(self, row: OutboxRow, document: OutboundDocument, found: list[PostedInvoice]) -> str:
        """Once, posted and equal is done; a draft is posted by the next attempt, and what is behind brought up to date by it;
        anything else is a conflict."""
        wrong = [f"{len(found)} documents carry the key"] if len(found) > 1 else []
        wrong += differences(document, found[0])
        wrong += ["it was cancelled"] if any(each.status == "cancelled" for each in found) else []
        if wrong:
            return self.move(row, "CONFLICT", {"last_error": "; ".join(wrong)}, erp_id=found[0].erp_id)
        behind = is_behind(document, found[0])
        if found[0].status == "posted" and not behind and found[0].posted_at is not None:
            return self._acknowledge(row, document, found[0], found[0].posted_at)
        seen: SeenAs = "behind" if behind else "draft"
        many = row.attempt_count >= MAX_ATTEMPTS
        is_final = not behind and not self.is_two_step(row)
        if is_final or (many and self._stays_so(row, seen)):
            return self.move(row, "HELD", {"last_error": _STAYS[seen], "seen_as": seen})
        # Where attempt after attempt gives no answer, the system is left alone for longer and longer.
        wait = timedelta(seconds=wait_s(row.attempt_count) if many else 0)
        told = {"not_before": self.now() + wait, "last_error": _SEEN[seen], "seen_as": seen}
        return self.move(row, "RETRY_WAIT", told)

    def _stays_so(self, row: OutboxRow, seen: SeenAs) -> bool:
        """Whether this is the last of the attempts that may be answered so; one without an answer is none of them."""
        answered = attempts.many_found_it(self.engine, row.idempotency_key, seen)
        return answered + (row.state == "SENDING") >= MAX_ATTEMPTS

    def _acknowledge(
        self, row: OutboxRow, document: OutboundDocument, posted: PostedInvoice, posted_at: datetime
    ) -> str:
        receipt = attempts.Receipt(
            idempotency_key=row.idempotency_key,
            destination=row.destination,
            company=row.company,
            business_id=row.business_id,
            revision=row.revision,
            shipment_no=row.shipment_no,
            erp_id=posted.erp_id,
            customer_id=posted.customer_id,
            order_no=document.order_no,
            currency=posted.currency,
            net_total_amount=posted.net_total_amount,
            tax_total_amount=posted.tax_total_amount,
            grand_total_amount=posted.grand_total_amount,
            issue_date=posted.issue_date,
            posted_at=posted_at,
            read_back_at=self.now(),
            total_quantity=posted.total_quantity if isinstance(posted, PostedDelivery) else None,
        )
        done = {"last_error": None, "seen_as": None}
        return self.move(row, "ACKED", done, erp_id=posted.erp_id, receipt=receipt)

    def made_already(self, row: OutboxRow, error: NotAppliedError) -> str:
        """The document is there, and the call after it was not taken. A list that does not show it yet must not have it made
        once more."""
        told = f"made, and not posted: {error.message} {error.remedy}"
        return self._wait(row, error, {"last_error": told, "may_exist": True, "seen_as": "made"})

    def retry_later(self, row: OutboxRow, error: NotAppliedError | UncertainError, *, may_exist: bool) -> str:
        """It was not taken, and is tried again."""
        return self._wait(
            row, error, {"last_error": f"{error.message} {error.remedy}", "may_exist": may_exist}
        )

    def _wait(self, row: OutboxRow, error: WaybillError, values: dict[str, Any]) -> str:
        """Full jitter, unless the other side said how long. Only time bounds it (``Pusher.promote``): it was no definite answer."""
        told = error.retry_after_s if isinstance(error, NotAppliedError) else None
        until = self.now() + timedelta(seconds=wait_s(row.attempt_count, told))
        return self.move(row, "RETRY_WAIT", {"not_before": until, **values})

    def end(
        self,
        row: OutboxRow,
        state: str,
        error: WaybillError,
        *,
        may_exist: bool = True,
        was_made: bool = False,
    ) -> str:
        """It ends with an error; ``was_made``: after the system had made the document."""
        told: dict[str, Any] = {"last_error": f"{error.message} {error.remedy}", "may_exist": may_exist}
        return self.move(row, state, told | ({"seen_as": "made"} if was_made else {}))

    def move(
        self,
        row: OutboxRow,
        state: str,
        values: dict[str, Any],
        *,
        erp_id: str | None = None,
        receipt: attempts.Receipt | None = None,
    ) -> str:
        """Write the ending down; the state it is."""
        self.books.end(row, state, values, erp_id, receipt)
        return state
