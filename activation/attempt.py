"""One attempt at one document: look up, create it, post it where that is a second step, read back; and what each ending means.

The attempt is committed before the first byte leaves that could change anything. Whatever happens after that, the row says where it
stands: a definite answer moves it on, anything else makes it UNKNOWN, and UNKNOWN is only ever left by
looking the document up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from activation.backoff import wait_s
from activation.books import Books
from activation.destinations.base import (
    Destination,
    NotAppliedError,
    PostedDelivery,
    PostedInvoice,
    RefusedError,
    UncertainError,
    differences,
)
from activation.document import stored_document
from contracts.outbound import OutboundDocument
from core.connections import Connection
from core.errors import WaybillError
from state import attempts, outbox
from state.outbox_moves import LostToAnother
from state.outbox_rows import OutboxRow

MAX_ATTEMPTS = 10
_LOOK_APART_S = 1.0
_DRAFT = "found as a draft"
_MADE = "made, and not posted: "
_UNSEEN = "made or found as a draft, and then not found"
_FORGOTTEN = "not found, and the system may have forgotten the key: a second one would not be refused"


Found = Mapping[str, list[PostedInvoice]]
"""Key → the documents that were found under it."""


@dataclass(frozen=True)
class Submitted:
    """A row whose document the destination said to have posted: what it holds now is read before that counts."""

    row: OutboxRow
    document: OutboundDocument
    erp_id: str


@dataclass
class Attempt:
    """What one worker needs to send rows of one destination. ``now`` is the machine's clock."""

    engine: Engine
    connection: Connection
    destination: Destination
    worker: str
    now: Callable[[], datetime]
    books: Books = field(init=False)

    def __post_init__(self) -> None:
        self.books = Books(self.engine, self.worker, self.now)

    def look_ahead(self, rows: Sequence[OutboxRow]) -> Found:
        """What is there of rows that were never sent, asked in one call: nothing of ours can be on its way to it.

        Nothing when the call fails: each row asks for itself then, as one that was sent before always does.
        """
        found: dict[str, list[PostedInvoice]] = {}
        for operation in {row.operation for row in rows}:
            keys = [row.idempotency_key for row in rows if row.operation == operation and not row.may_exist]
            with suppress(WaybillError):
                found |= self.destination.of(operation).look_up_all(keys) if len(keys) > 1 else {}
        return found

    def send(self, row: OutboxRow, ahead: Found | None = None) -> str | Submitted:
        """Try one leased row once; the state it ends in, which is on disk after the next ``books.flush``, or what
        ``read_back`` has to be asked about.

        ``ahead`` is what ``look_ahead`` said.
        """
        document = stored_document(row)
        existed, was_seen, row = row.may_exist, self._was_seen(row), self.books.begin(row)
        if row.state != "SENDING":
            return row.state
        if ahead is not None and row.idempotency_key in ahead:
            # It has begun this very moment: nobody can have taken it over.
            return self._carry_out(row, document, ahead[row.idempotency_key], existed=existed)
        try:
            found = self._look_up(row)
        except RefusedError as error:
            return self._end(row, "DEAD", error, may_exist=existed)
        except (NotAppliedError, UncertainError) as error:
            # Nothing was sent in this attempt, and the row was not UNKNOWN before it.
            return (
                self._end(row, "UNKNOWN", error)
                if was_seen
                else self._retry_later(row, error, may_exist=existed)
            )
        # Nothing is sent where it was before and what would refuse a second one is gone, nor where a list showed it a moment
        # ago and does not now.
        doubt = _FORGOTTEN if existed and self._is_forgotten(row) else _UNSEEN if was_seen else None
        if doubt is not None and not found:
            return self._move(row, "UNKNOWN", {"last_error": doubt, "may_exist": True})
        if not found or found[0].status == "draft":
            self._still_ours(row)
        return self._carry_out(row, document, found, existed=existed)

    def _was_seen(self, row: OutboxRow) -> bool:
        """Whether a document was made or a look showed one, where nothing but our own looking refuses a second one."""
        return (row.last_error or "").startswith((_DRAFT, _MADE)) and not self._is_unique

    def _look_up(self, row: OutboxRow) -> list[PostedInvoice]:
        return self.destination.of(row.operation).look_up(row.idempotency_key)

    def _still_ours(self, row: OutboxRow) -> None:
        if not outbox.is_held(self.engine, row, self.now()):
            raise LostToAnother(
                f"The lease of {row.shipment_no} ran out.",
                remedy="Nothing: it is looked up before it is sent.",
            )

    def reconcile(self, row: OutboxRow) -> str | None:
        """Find out what became of an UNKNOWN row; the state it ends in, UNKNOWN when nobody can say yet, None when no
        answer came."""
        try:
            found = self._look_up(row)
        except WaybillError:
            return None
        state = self._find_out(row, found)
        self.books.flush()
        return state

    def _find_out(self, row: OutboxRow, found: list[PostedInvoice]) -> str:
        document = stored_document(row)
        if found:
            return self._judge_found(row, document, found)
        if self._is_forgotten(row):
            return self._move(row, "HELD", {"last_error": _FORGOTTEN})
        if self._is_unique:
            return self._move(row, "RETRY_WAIT", {"not_before": self.now(), "last_error": "not found"})
        return self._look_again(row)

    def _look_again(self, row: OutboxRow) -> str:
        """Where the system would take it twice: wait until it must have settled, then look twice, apart."""
        now = self.now()
        if row.not_before is None:
            settled = row.updated_at + timedelta(seconds=self._settle_s)
            if now < settled:
                return "UNKNOWN"
            apart = {"not_before": now + timedelta(seconds=_LOOK_APART_S), "last_error": "not found once"}
            return self._move(row, "UNKNOWN", apart)
        if now < row.not_before:
            return "UNKNOWN"
        return self._move(row, "RETRY_WAIT", {"not_before": now, "last_error": "not found twice"})

    @property
    def _settle_s(self) -> float:
        return self.connection.destination.settle_s if self.connection.destination else 0.0

    @property
    def _is_two_step(self) -> bool:
        return self.connection.destination is None or self.connection.destination.two_step

    @property
    def _is_unique(self) -> bool:
        return bool(self.connection.destination and self.connection.destination.enforces_uniqueness)

    def _is_forgotten(self, row: OutboxRow) -> bool:
        """True when the system that enforces uniqueness may not know any more that it has seen the key."""
        declared = self.connection.destination
        lifetime = declared.key_lifetime_s if declared and declared.enforces_uniqueness else None
        return lifetime is not None and self.now() >= row.enqueued_at + timedelta(seconds=lifetime)

    def _carry_out(
        self, row: OutboxRow, document: OutboundDocument, found: list[PostedInvoice], *, existed: bool
    ) -> str | Submitted:
        if found and not self._may_post(document, found):
            return self._judge_found(row, document, found)
        erp_id, kind = (found[0].erp_id if found else None), self.destination.of(row.operation)
        try:
            erp_id = erp_id or kind.create(document)
            if self._is_two_step:
                kind.post(erp_id)
        except NotAppliedError as error:
            if erp_id is not None:
                return self._made_already(row, error)
            return self._retry_later(row, error, may_exist=existed)
        except RefusedError as error:
            return self._refused(row, document, error, erp_id, existed=existed)
        except UncertainError as error:
            return self._end(row, "UNKNOWN", error)
        return Submitted(row, document, erp_id)

    def _made_already(self, row: OutboxRow, error: NotAppliedError) -> str:
        """The document is there, and the call after it was not taken. A list that does not show it yet must not have it made
        once more."""
        return self._retry_later(row, error, may_exist=True, was_seen=not self._is_unique)

    def _may_post(self, document: OutboundDocument, found: Sequence[PostedInvoice]) -> bool:
        is_draft = len(found) == 1 and found[0].status == "draft" and not differences(document, found[0])
        return is_draft and self._is_two_step

    def read_back(self, submitted: Sequence[Submitted]) -> list[str]:
        """The state in which each ends, in their order. They are read in one call; whatever that does not tell is asked
        for alone."""
        read: dict[tuple[str, str], PostedInvoice] = {}
        for operation in {each.row.operation for each in submitted}:
            ids = [each.erp_id for each in submitted if each.row.operation == operation]
            with suppress(WaybillError):
                told = self.destination.of(operation).read_back_all(ids) if len(ids) > 1 else {}
                read |= {(operation, erp_id): posted for erp_id, posted in told.items()}
        return [self._ending(each, read.get((each.row.operation, each.erp_id))) for each in submitted]

    def _ending(self, sent: Submitted, posted: PostedInvoice | None) -> str:
        try:
            found = posted or self.destination.of(sent.row.operation).read_back(sent.erp_id)
        except NotAppliedError as error:
            return self._made_already(sent.row, error)
        except RefusedError as error:
            return self._refused(sent.row, sent.document, error, sent.erp_id, existed=True)
        except UncertainError as error:
            return self._end(sent.row, "UNKNOWN", error)
        return self._judge_found(sent.row, sent.document, [found])

    def _refused(
        self,
        row: OutboxRow,
        document: OutboundDocument,
        error: RefusedError,
        erp_id: str | None,
        *,
        existed: bool,
    ) -> str:
        """A refusal may mean that the invoice is there already: ask before believing it. It says nothing of what an
        earlier attempt sent (``existed``), nor of a document that was made before it."""
        try:
            found = self._look_up(row)
        except WaybillError as unclear:
            return self._end(row, "UNKNOWN", unclear)
        if not found:
            return self._end(row, "DEAD", error, may_exist=existed or erp_id is not None)
        if erp_id is not None and all(each.status == "draft" for each in found):
            # The draft is there and the system will not have it posted: that takes a person.
            return self._end(row, "DEAD", error)
        return self._judge_found(row, document, found)

    def _judge_found(self, row: OutboxRow, document: OutboundDocument, found: list[PostedInvoice]) -> str:
        """Once, posted and equal is done; a draft is posted by the next attempt; anything else is a conflict."""
        wrong = [f"{len(found)} documents carry the key"] if len(found) > 1 else []
        wrong += differences(document, found[0])
        wrong += ["it was cancelled"] if any(each.status == "cancelled" for each in found) else []
        if wrong:
            return self._move(row, "CONFLICT", {"last_error": "; ".join(wrong)}, erp_id=found[0].erp_id)
        if found[0].status == "posted" and found[0].posted_at is not None:
            return self._acknowledge(row, document, found[0], found[0].posted_at)
        many = row.attempt_count >= MAX_ATTEMPTS
        if not self._is_two_step or (many and self._stays_a_draft(row)):
            return self._move(row, "HELD", {"last_error": "it stays a draft"})
        # Where attempt after attempt gives no answer, the system is left alone for longer and longer.
        wait = timedelta(seconds=wait_s(row.attempt_count) if many else 0)
        return self._move(row, "RETRY_WAIT", {"not_before": self.now() + wait, "last_error": _DRAFT})

    def _stays_a_draft(self, row: OutboxRow) -> bool:
        """Whether this is the last of the attempts that may be answered so; one without an answer is none of them."""
        answered = attempts.many_ended(self.engine, row.idempotency_key, "RETRY_WAIT", _DRAFT)
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
        return self._move(row, "ACKED", {"last_error": None}, erp_id=posted.erp_id, receipt=receipt)

    def _retry_later(
        self,
        row: OutboxRow,
        error: NotAppliedError | UncertainError,
        *,
        may_exist: bool,
        was_seen: bool = False,
    ) -> str:
        """Full jitter, unless the other side said how long. Only time bounds it (``Pusher.promote``): it was no definite answer."""
        told = error.retry_after_s if isinstance(error, NotAppliedError) else None
        values = {
            "not_before": self.now() + timedelta(seconds=wait_s(row.attempt_count, told)),
            "last_error": f"{_MADE if was_seen else ''}{error.message} {error.remedy}",
            "may_exist": may_exist,
        }
        return self._move(row, "RETRY_WAIT", values)

    def _end(self, row: OutboxRow, state: str, error: WaybillError, *, may_exist: bool = True) -> str:
        told = {"last_error": f"{error.message} {error.remedy}", "may_exist": may_exist}
        return self._move(row, state, told)

    def _move(
        self,
        row: OutboxRow,
        state: str,
        values: dict[str, Any],
        *,
        erp_id: str | None = None,
        receipt: attempts.Receipt | None = None,
    ) -> str:
        self.books.end(row, state, values, erp_id, receipt)
        return state
