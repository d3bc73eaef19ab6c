"""What push and reconciliation ask of a destination, and the only ways in which a call may end.

A destination never retries and never hides: it says what is known for certain. The push decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol

from contracts.exception_alert import ExceptionAlertDocument
from contracts.fulfilment import FulfilmentDocument
from contracts.invoice import CreditNoteDocument, InvoiceDocument
from contracts.outbound import OutboundDocument
from core.errors import WaybillError


class NotAppliedError(WaybillError):
    """Proven: the call changed nothing (connection refused, 429, 503). Worth another try later."""

    def __init__(self, message: str, *, remedy: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s


class RefusedError(WaybillError):
    """The system understood and said no: trying again gives the same answer."""


class UncertainError(WaybillError):
    """Nobody knows whether the call took effect (timeout, reset, 500, an answer that cannot be read)."""


@dataclass(frozen=True)
class PostedLine:
    """A line as the foreign system holds it."""

    item_id: str
    quantity: Decimal
    net_price: Decimal
    net_amount: Decimal
    tax_code: str | None


@dataclass(frozen=True)
class PostedInvoice:
    """An invoice or credit note as the foreign system holds it. ``credited_erp_id``: the invoice that a note reverses;
    ``lines``: None where the system's lists do not tell them."""

    erp_id: str
    status: Literal["draft", "posted", "cancelled"]
    idempotency_key: str
    company_id: str
    customer_id: str
    currency: str
    net_total_amount: Decimal
    tax_total_amount: Decimal
    grand_total_amount: Decimal
    issue_date: date | None
    posted_at: datetime | None
    credited_erp_id: str | None = None
    lines: tuple[PostedLine, ...] | None = None


@dataclass(frozen=True)
class PostedDelivery(PostedInvoice):
    """A confirmation as the foreign system holds it. It carries no money: currency ``NO_CURRENCY``, amounts 0."""

    total_quantity: Decimal = Decimal(0)


@dataclass(frozen=True)
class PostedAlert(PostedInvoice):
    """An exception alert as the foreign system holds it, without money. ``state``: in the document's words, or the system's own
    word where it has none for it."""

    state: str = ""


class Destination(Protocol):
    """One foreign system and, until ``of`` says otherwise, its invoices and credit notes.

    Every method but ``of`` makes calls and may raise the three errors above.
    """

    def of(self, operation: str) -> Destination:
        """The same system and what an operation writes there. ConfigurationError when it takes no such thing."""

    def look_up(self, idempotency_key: str) -> list[PostedInvoice]:
        """Every document that carries the key, whatever its status."""

    def look_up_all(self, idempotency_keys: Sequence[str]) -> dict[str, list[PostedInvoice]]:
        """The same for a few keys in one call: each key → what carries it, nothing included."""

    def list_keyed(self, since: date | None) -> Iterator[PostedInvoice]:
        """Every document that carries a key of Waybill's, whatever its status; with an issue date from ``since`` on
        when given. Invoices that people made by hand carry none."""

    def create(self, document: OutboundDocument) -> str:
        """Create the document; its id. It has no effect on the books yet where the connection declares two steps."""

    def post(self, erp_id: str, document: OutboundDocument) -> None:
        """Give a draft its effect, or bring what is kept up to what the document says. Not asked for of a document that was
        created in one step: creating has posted it."""

    def read_back(self, erp_id: str) -> PostedInvoice:
        """The document as it is now."""

    def read_back_all(self, erp_ids: Sequence[str]) -> dict[str, PostedInvoice]:
        """The same for a few in one call: id → the document, of those that are there."""

    def close(self) -> None:
        """Let go of the connection."""


Compared = tuple[str, object, object]
"""A field, what was sent of it, what was found."""


def differences(document: OutboundDocument, found: PostedInvoice) -> list[str]:
    """What the system holds other than what was sent, in words; empty when it is the same document."""
    compared: list[Compared] = [
        ("key", document.idempotency_key, found.idempotency_key),
        ("company", document.company_id, found.company_id),
        ("customer", document.customer_id, found.customer_id),
    ]
    lines: list[str] = []
    if not isinstance(document, ExceptionAlertDocument):
        compared.append(("issue date", document.issue_date, found.issue_date))
    if isinstance(document, InvoiceDocument):
        compared += _money(document, found)
        lines = _differing_lines(document, found)
    elif isinstance(document, FulfilmentDocument) and isinstance(found, PostedDelivery):
        compared.append(("quantity", document.total_quantity, found.total_quantity))
    return [f"{name}: sent {sent}, found {seen}" for name, sent, seen in compared if sent != seen] + lines


def is_behind(document: OutboundDocument, found: PostedInvoice) -> bool:
    """Whether it is the document that is kept up, and says something else yet than it should."""
    if not (isinstance(document, ExceptionAlertDocument) and isinstance(found, PostedAlert)):
        return False
    return document.state != found.state


def _money(document: InvoiceDocument, found: PostedInvoice) -> list[Compared]:
    credited = document.credited_erp_id if isinstance(document, CreditNoteDocument) else None
    return [
        ("currency", document.currency, found.currency),
        ("net total", document.net_total_amount, found.net_total_amount),
        ("tax total", document.tax_total_amount, found.tax_total_amount),
        ("grand total", document.grand_total_amount, found.grand_total_amount),
        ("credited invoice", credited, found.credited_erp_id),
    ]


def _differing_lines(document: InvoiceDocument, found: PostedInvoice) -> list[str]:
    if found.lines is None:
        return []
    sent = Counter(
        PostedLine(each.item_id, each.quantity, each.net_price, each.net_amount, each.tax_code)
        for each in document.lines
    )
    seen = Counter(found.lines)
    return [
        f"line of {each.item_id}: {word} {each.quantity} at {each.net_price}, {each.net_amount}, tax {each.tax_code}"
        for word, some in (("sent", sent - seen), ("found", seen - sent))
        for each in some
    ]
