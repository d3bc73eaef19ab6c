"""One attempt at one document: look up, create it, post it where that is a second step, read back.

The attempt is committed before the first byte leaves that could change anything. Whatever happens after that, the row says where it
stands: a definite answer moves it on, anything else makes it UNKNOWN, and UNKNOWN is only ever left by
looking the document up. What each ending means is ``endings``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Engine

from activation.books import Books
from activation.destinations.base import (
    Destination,
    NotAppliedError,
    PostedInvoice,
    RefusedError,
    UncertainError,
    is_behind,
)
from activation.document import stored_document
from activation.endings import Endings
from contracts.outbound import OutboundDocument
from core.connections import Connection
from core.errors import WaybillError
from core.flows import KEPT_UP
from state import leases
from state.outbox_moves import LostToAnother
from state.outbox_rows import OutboxRow

Found = Mapping[str, list[PostedInvoice]]
"""Key → the documents that were found under it."""


_AT_ONCE = timedelta(milliseconds=50)
"""What is sent so soon after its beginning has waited for nothing but its thread."""
_MOMENT = timedelta(seconds=5)
"""So soon after its beginning nobody can have taken a row over: a small part of its lease."""


@dataclass(frozen=True)
class Begun:
    """A row whose attempt is on disk and of which nothing is sent yet; ``row.state`` is SENDING, or says what kept it from beginning.

    ``existed``, ``was_seen``, ``is_first``: what held before; ``found``: what was seen under its key a moment before, None
    when nobody looked.
    """

    row: OutboxRow
    document: OutboundDocument
    existed: bool
    was_seen: bool
    is_first: bool
    found: list[PostedInvoice] | None


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
    endings: Endings = field(init=False)

    def __post_init__(self) -> None:
        self.books = Books(self.engine, self.worker, self.now)
        self.endings = Endings(self.engine, self.connection, self.books, self.now)

    def look_ahead(self, rows: Sequence[OutboxRow]) -> Found:
        """What is there of rows that were never sent, asked in one call: nothing of ours can be on its way to it.

        Nothing when the call fails: each row asks for itself then, as one that was sent before always does, and one whose
        document may be there since its first revision.
        """
        found: dict[str, list[PostedInvoice]] = {}
        for operation in {row.operation for row in rows} - KEPT_UP:
            new = [row for row in rows if not row.may_exist and row.seen_as is None]
            keys = [row.idempotency_key for row in new if row.operation == operation]
            with suppress(WaybillError):
                found |= self.destination.of(operation).look_up_all(keys) if len(keys) > 1 else {}
        return found

    def begin(self, rows: Sequence[OutboxRow], ahead: Found) -> list[Begun]:
        """Begin some leased rows together, without those that another worker has taken over; ``ahead`` is what ``look_ahead``
        said. What begun comes to is asked of ``send``, at once."""
        before = [
            Begun(
                row,
                stored_document(row),
                existed=row.may_exist,
                was_seen=self.endings.was_seen(row),
                is_first=row.attempt_count == 0,
                found=ahead.get(row.idempotency_key),
            )
            for row in rows
        ]
        after = self.books.begin(rows)
        return [replace(each, row=row) for each, row in zip(before, after, strict=True) if row is not None]

    def send(self, begun: Begun) -> str | Submitted:
        """Send what has begun; the state it ends in, which is on disk after the next ``books.flush``, or what ``read_back`` has
        to be asked about."""
        row = begun.row
        if row.state != "SENDING":
            return row.state
        if why := self._why_stopped(row):
            return self._not_sent(begun, NotAppliedError(why, remedy="It is asked again as it begins anew."))
        if begun.found is not None:
            return self._carry_out(row, begun.document, begun.found, existed=begun.existed)
        return self._look_and_send(begun)

    def _look_and_send(self, begun: Begun) -> str | Submitted:
        row, document = begun.row, begun.document
        try:
            found = self._look_up(row, document)
        except RefusedError as error:
            return self.endings.end(row, "DEAD", error, may_exist=begun.existed)
        except (NotAppliedError, UncertainError) as error:
            return self._not_sent(begun, error)
        if not found and (doubt := self.endings.why_doubtful(row, existed=begun.existed)):
            return self.endings.move(row, "UNKNOWN", {"last_error": doubt, "may_exist": True})
        if not found or found[0].status == "draft" or is_behind(document, found[0]):
            self._still_ours(row)
        return self._carry_out(row, document, found, existed=begun.existed)

    def _why_stopped(self, row: OutboxRow) -> str | None:
        """Why a row that had to wait since its beginning is not sent."""
        waited = self.now() - row.updated_at
        if waited < _AT_ONCE:
            return None
        if waited >= _MOMENT:
            return "It waited for too long since it had begun."
        return self.books.why_stopped(row)

    def _not_sent(self, begun: Begun, why: NotAppliedError | UncertainError) -> str:
        """Nothing was sent in this attempt, and the row was not UNKNOWN before it."""
        if begun.was_seen:
            return self.endings.end(begun.row, "UNKNOWN", why)
        return self.endings.retry_later(begun.row, why, may_exist=begun.existed)

    def _look_up(self, row: OutboxRow, document: OutboundDocument) -> list[PostedInvoice]:
        return self.destination.of(row.operation).look_up(document.idempotency_key)

    def _still_ours(self, row: OutboxRow) -> None:
        if not leases.is_held(self.engine, row, self.now()):
            raise LostToAnother(
                f"The lease of {row.shipment_no} ran out.",
                remedy="Nothing: it is looked up before it is sent.",
            )

    def reconcile(self, row: OutboxRow) -> str | None:
        """Find out what became of an UNKNOWN row; the state it ends in, UNKNOWN when nobody can say yet, None when no
        answer came."""
        document = stored_document(row)
        try:
            found = self._look_up(row, document)
        except WaybillError:
            return None
        state = self.endings.find_out(row, document, found)
        self.books.flush()
        return state

    def _carry_out(
        self, row: OutboxRow, document: OutboundDocument, found: list[PostedInvoice], *, existed: bool
    ) -> str | Submitted:
        if found and not self.endings.may_post(row, document, found):
            return self.endings.judge_found(row, document, found)
        erp_id, kind = (found[0].erp_id if found else None), self.destination.of(row.operation)
        try:
            erp_id = erp_id or kind.create(document)
            if found or self.endings.is_two_step(row):
                kind.post(erp_id, document)
        except NotAppliedError as error:
            if erp_id is not None:
                return self.endings.made_already(row, error)
            return self.endings.retry_later(row, error, may_exist=existed)
        except RefusedError as error:
            return self._refused(row, document, error, erp_id, existed=existed)
        except UncertainError as error:
            return self.endings.end(row, "UNKNOWN", error)
        return Submitted(row, document, erp_id)

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
            return self.endings.made_already(sent.row, error)
        except RefusedError as error:
            return self._refused(sent.row, sent.document, error, sent.erp_id, existed=True)
        except UncertainError as error:
            return self.endings.end(sent.row, "UNKNOWN", error)
        return self.endings.judge_found(sent.row, sent.document, [found])

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
            found = self._look_up(row, document)
        except WaybillError as unclear:
            return self.endings.end(row, "UNKNOWN", unclear)
        if not found:
            return self.endings.end(
                row, "DEAD", error, may_exist=existed or erp_id is not None, was_made=erp_id is not None
            )
        if erp_id is not None and all(each.status == "draft" for each in found):
            # The draft is there and the system will not have it posted: that takes a person.
            return self.endings.end(row, "DEAD", error, was_made=True)
        return self.endings.judge_found(row, document, found)
