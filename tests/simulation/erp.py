"""An ERP in memory, on a virtual clock, that does to the push whatever a network and a server can do.

Belongs here: what such a system may do, within what it declares. A request that timed out may take effect up to
``LIFE_S`` later; a document can be found ``LAG_S`` after that at the latest. It enforces no uniqueness.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from activation.destinations.base import (
    NotAppliedError,
    PostedAlert,
    PostedDelivery,
    PostedInvoice,
    RefusedError,
    UncertainError,
)
from contracts.exception_alert import ExceptionAlertDocument
from contracts.fulfilment import NO_CURRENCY, FulfilmentDocument
from contracts.invoice import InvoiceDocument
from contracts.outbound import OutboundDocument

LIFE_S, LAG_S = 60.0, 20.0
SETTLE_S = LIFE_S + LAG_S + 1
"""What it declares: after so long a request has taken effect and can be found, or never will."""
WAYS = {
    "answered": 50, "refused_connection": 5, "refused": 3, "lost": 8, "reply_lost": 8, "late": 14, "crash": 6,
    "crash_after": 6,
}  # fmt: skip
"""How a request that changes something may end, and how often of a hundred."""
BEGINNING = datetime(2026, 11, 13, 8, tzinfo=UTC)


class Crash(BaseException):
    """The worker's process ends here, whatever it was about to do."""


@dataclass
class Clock:
    """Now, for everybody."""

    now: datetime = BEGINNING

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Document:
    """``version``: how often it was changed, of one that is kept up."""

    invoice: PostedInvoice
    findable_at: datetime
    version: int = 0


@dataclass
class SimulatedErp:
    """One destination. ``is_one_step``: creating a document posts it. ``meanwhile`` runs while a call is on its way, which
    takes up to ``travel_s``; an answer comes ``calm`` times as often as ``WAYS`` says, a refusal ``strict`` times. ``read_together`` is the most documents that one call told while not all was well."""

    rng: random.Random
    clock: Clock
    is_one_step: bool
    meanwhile: Callable[[], None] = lambda: None
    is_well: bool = False
    documents: dict[str, Document] = field(default_factory=dict)
    by_key: defaultdict[str, list[Document]] = field(default_factory=lambda: defaultdict(list))
    underway: list[tuple[datetime, Callable[[datetime], object]]] = field(default_factory=list)
    creates: int = 0
    travel_s: float = 2.0
    calm: int = 1
    strict: int = 1
    read_together: int = 0
    _made: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    asked_for: list[str] = field(default_factory=list)
    """The keys under which something was asked to be made or posted, in turn."""

    def posted(self) -> Counter[str]:
        """Key → posted documents."""
        return Counter(
            each.invoice.idempotency_key
            for each in self.documents.values()
            if each.invoice.status == "posted"
        )

    def settle(self) -> None:
        """Let everything take effect that is due by now."""
        due = [each for each in self.underway if each[0] <= self.clock.now]
        self.underway = [each for each in self.underway if each[0] > self.clock.now]
        for at, effect in sorted(due, key=lambda each: each[0]):
            effect(at)

    def of(self, operation: str) -> SimulatedErp:
        assert operation
        return self

    def look_up(self, idempotency_key: str) -> list[PostedInvoice]:
        self._travel()
        if not self.is_well and self.rng.random() < 0.1:
            raise UncertainError("The look-up timed out.", remedy="Wait.")
        return self._findable(idempotency_key)

    def _findable(self, idempotency_key: str) -> list[PostedInvoice]:
        return [
            each.invoice
            for each in self.by_key.get(idempotency_key, ())
            if each.findable_at <= self.clock.now
        ]

    def look_up_all(self, idempotency_keys: Sequence[str]) -> dict[str, list[PostedInvoice]]:
        self._travel()
        if not self.is_well and self.rng.random() < 0.1:
            raise UncertainError("The look-up timed out.", remedy="Wait.")
        return {key: self._findable(key) for key in idempotency_keys}

    def list_keyed(self, since: date | None) -> Iterator[PostedInvoice]:
        raise NotImplementedError(f"no reconciliation here, since {since}")

    def create(self, document: OutboundDocument) -> str:
        self.creates += 1
        self.asked_for.append(document.idempotency_key)
        return self._call(lambda at: self._create(document, at))

    def post(self, erp_id: str, document: OutboundDocument) -> None:
        if isinstance(document, ExceptionAlertDocument):
            version = self.documents[erp_id].version
            self._call(lambda _: self._bring(erp_id, document, version))
            return
        if self.is_one_step:
            raise AssertionError("nothing is posted where creating posts it")
        self.asked_for.append(self.documents[erp_id].invoice.idempotency_key)
        self._call(lambda at: self._post(erp_id, at))

    def read_back(self, erp_id: str) -> PostedInvoice:
        self._travel()
        if not self.is_well and self.rng.random() < 0.05:
            raise UncertainError("The answer was cut.", remedy="Wait.")
        return self.documents[erp_id].invoice

    def read_back_all(self, erp_ids: Sequence[str]) -> dict[str, PostedInvoice]:
        self._travel()
        if not self.is_well and self.rng.random() < 0.05:
            raise UncertainError("The answer was cut.", remedy="Wait.")
        # One that is missing here has to be asked for alone.
        told = {
            erp_id: self.documents[erp_id].invoice
            for erp_id in erp_ids
            if erp_id in self.documents and (self.is_well or self.rng.random() < 0.9)
        }
        if not self.is_well:
            self.read_together = max(self.read_together, len(told))
        return told

    def remove(self, document: Document) -> None:
        """By hand; what is asked of it from then on comes to nothing."""
        del self.documents[document.invoice.erp_id]
        self.by_key[document.invoice.idempotency_key].remove(document)

    def live(self) -> dict[str, list[PostedInvoice]]:
        """Key → posted invoices that no posted credit note reverses."""
        posted = [each.invoice for each in self.documents.values() if each.invoice.status == "posted"]
        credited = {each.credited_erp_id for each in posted}
        left: dict[str, list[PostedInvoice]] = defaultdict(list)
        for each in posted:
            if each.credited_erp_id is None and each.erp_id not in credited:
                left[each.idempotency_key].append(each)
        return left

    def close(self) -> None:
        """Nothing is held."""

    def _call(self, effect: Callable[[datetime], str]) -> str:
        """One request that changes something, and what may become of it."""
        dies_at = self.clock.now + timedelta(seconds=LIFE_S)
        self._travel()
        if self.clock.now > dies_at:
            raise UncertainError("It took too long.", remedy="Look it up.")
        often = WAYS | {"answered": WAYS["answered"] * self.calm, "refused": WAYS["refused"] * self.strict}
        way = "answered" if self.is_well else self.rng.choices(tuple(often), tuple(often.values()))[0]
        self.ways[way] += 1
        if way == "refused_connection":
            raise NotAppliedError("Nobody listens.", remedy="Wait.")
        if way == "refused":
            raise RefusedError("417", remedy="Mend the row.")
        if way == "crash":
            raise Crash
        if way == "late":
            left = (dies_at - self.clock.now).total_seconds()
            self.underway.append((self.clock.now + timedelta(seconds=self.rng.uniform(0, left)), effect))
        if way in {"lost", "late"}:
            raise UncertainError("No answer came.", remedy="Look it up.")
        done = effect(self.clock.now)
        if way == "crash_after":
            raise Crash
        if way == "reply_lost":
            raise UncertainError("The answer was lost.", remedy="Look it up.")
        return done

    def _travel(self) -> None:
        """Time passes on the way, and others are at work in it."""
        self.clock.pass_s(self.rng.uniform(0, self.travel_s))
        if not self.is_well and self.rng.random() < 0.1:
            self.clock.pass_s(self.rng.uniform(0, 30))
            self.meanwhile()
        self.settle()

    def _create(self, document: OutboundDocument, at: datetime) -> str:
        self._made += 1
        erp_id = f"SINV-{self._made}"
        posted_at = at if self.is_one_step else None
        status: Literal["posted", "draft"] = "posted" if self.is_one_step else "draft"
        whose = (erp_id, status, document.idempotency_key, document.company_id, document.customer_id)
        if isinstance(document, InvoiceDocument):
            made = PostedInvoice(
                *whose, document.currency, document.net_total_amount, document.tax_total_amount,
                document.grand_total_amount, document.issue_date, posted_at,
                credited_erp_id=getattr(document, "credited_erp_id", None),
            )  # fmt: skip
        elif isinstance(document, ExceptionAlertDocument):
            made = PostedAlert(
                erp_id, "posted", *whose[2:], NO_CURRENCY, *(Decimal(0),) * 3, document.issue_date, at,
                state=document.state,
            )  # fmt: skip
        else:
            assert isinstance(document, FulfilmentDocument)
            nothing = (Decimal(0),) * 3
            made = PostedDelivery(
                *whose, NO_CURRENCY, *nothing, document.issue_date, posted_at,
                total_quantity=document.total_quantity,
            )  # fmt: skip
        lag = self.rng.uniform(0, LAG_S)
        self.documents[erp_id] = Document(made, at + timedelta(seconds=lag))
        self.by_key[document.idempotency_key].append(self.documents[erp_id])
        return erp_id

    def _bring(self, erp_id: str, document: ExceptionAlertDocument, version: int) -> str:
        """A change names the version that it was made of, and is refused where another is there by now."""
        there = self.documents[erp_id]
        assert isinstance(there.invoice, PostedAlert)
        if version == there.version:
            there.invoice = replace(there.invoice, state=document.state)
            there.version += 1
        return erp_id

    def _post(self, erp_id: str, at: datetime) -> str:
        document = self.documents.get(erp_id)
        if document is not None and document.invoice.status == "draft":
            document.invoice = replace(document.invoice, status="posted", posted_at=at)
        return erp_id
