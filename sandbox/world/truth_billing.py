"""What was billed, when, by whom and for what: the metrics of invoices, and of deliveries that wait for one.

Waybill posts what it may as soon as it runs, which nobody can know to the second: a posting of its own lies
between NOW and half an hour later, the time in which the world stands still. Invoices made by hand are exact.
An invoice bills the shipments that it names, or each shipment of the order that it names; one that names
nothing bills nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cached_property

from sandbox.world.known import Told, by_now
from sandbox.world.model import Invoice, Shipment, World, totals
from sandbox.world.moments import NOW, QUIET
from sandbox.world.truth_numbers import End, Fact, Subject, age, judged, summed

OWN: End = (NOW, NOW + QUIET)
ERP = "sandbox_erp"
_BASELINE_DAYS = 5
Told_ = dict[str, Told]


@dataclass(frozen=True)
class Bill:
    """One posted invoice, whoever made it."""

    posted: End
    maker: str
    company: str
    customer: str
    currency: str
    total: Decimal
    named: str | None
    """The shipment that it names."""
    bills: tuple[str, ...]
    credited: Decimal
    """How much of it was given back."""
    is_credited: bool

    @property
    def is_surviving(self) -> bool:
        return self.total > self.credited if self.is_credited else self.total >= 0

    @property
    def reason(self) -> str | None:
        if not self.is_credited:
            return None
        return "credited_in_full" if self.credited >= self.total else "credited_in_part"


@dataclass(frozen=True)
class Billing:
    """All posted invoices, and of each shipment when it was first billed by one that still stands."""

    bills: list[Bill]
    own: set[str]
    first: dict[str, Bill] = field(default_factory=dict)

    def posted(self, shipment: str) -> End | None:
        return self.first[shipment].posted if shipment in self.first else None

    def maker(self, shipment: str) -> str | None:
        return self.first[shipment].maker if shipment in self.first else None

    @cached_property
    def corrected(self) -> set[str]:
        """The shipments that were once billed wrongly."""
        return {shipment for bill in self.bills if bill.is_credited for shipment in bill.bills}


def billing_of(world: World, own: dict[str, Told]) -> Billing:
    """``own``: what Waybill posts."""
    posted = [each for each in world.hand_invoices if by_now(each.posted)]
    back: dict[str, Decimal] = {}
    for each in posted:
        if each.credits:
            back[each.credits] = back.get(each.credits, Decimal(0)) - _total(each)
    made = [_by_hand(each, back.get(each.id)) for each in sorted(posted, key=_turn) if not each.credits]
    made += [_by_us(told) for told in own.values()]
    first: dict[str, Bill] = {}
    for bill in made:
        for shipment in bill.bills:
            if bill.is_surviving:
                first.setdefault(shipment, bill)
    return Billing(made, set(own), first)


def _turn(invoice: Invoice) -> tuple[object, str]:
    return invoice.posted, invoice.id


def _total(invoice: Invoice) -> Decimal:
    order = invoice.shipment.order
    parts = [(line, Decimal(invoice.quantities.get(line.id, 0)) * invoice.factor) for line in order.lines]
    return sum(totals(parts, order.currency), Decimal(0))


def _by_hand(invoice: Invoice, credited: Decimal | None) -> Bill:
    order = invoice.shipment.order
    return Bill(
        (invoice.posted, invoice.posted),
        "hand",
        order.company,
        order.customer.id,
        order.currency,
        _total(invoice),
        invoice.shipment.id if invoice.names == "shipment" else None,
        tuple(each.id for each in _billed(invoice)),
        credited or Decimal(0),
        credited is not None,
    )


def _by_us(told: Told) -> Bill:
    order, name = told.order, told.shipment.id
    amount = worth(told)
    assert amount is not None
    party = (order.company, order.customer.id, order.currency)
    return Bill(OWN, "waybill", *party, amount, name, (name,), Decimal(0), False)


def _billed(invoice: Invoice) -> list[Shipment]:
    if invoice.names is None:
        return []
    return [invoice.shipment] if invoice.names == "shipment" else invoice.shipment.order.shipments


def worth(told: Told) -> Decimal | None:
    """What a proof says was accepted, at the order's prices; without a proof nobody knows how much."""
    if told.proof is None or not told.is_order_known:
        return None
    parts = [(line, Decimal(told.proof.delivered.get(line.id, 0))) for line in told.order.lines]
    return sum(totals(parts, told.order.currency), Decimal(0))


def errors(told: Told_, billing: Billing, zones: dict[str, str]) -> Iterator[Fact]:
    """Nobody cancels what is posted in this world: who is wrong gives credit."""
    for bill in billing.bills:
        about = _about(bill, told.get(bill.named or ""), zones[bill.company])
        yield from judged("invoice_error_rate", about, bill.posted[0], bill.reason is not None)
        for reason in ("cancelled", "credited_in_full", "credited_in_part"):
            yield from judged("invoice_error_rate", about, bill.posted[0], bill.reason == reason, reason)


def _about(bill: Bill, one: Told | None, zone: str) -> Subject:
    """Places are those of the shipment that it is known to bill; without one its days are its company's."""
    cuts: dict[str, str | None] = {
        "company": bill.company,
        "customer": bill.customer,
        "connection": ERP,
        "made_by": bill.maker,
    }
    if one:
        depot = one.order.depot
        cuts |= {"depot": depot.id, "region": depot.region, "carrier": one.shipment.carrier}
    return Subject(one.order.depot.zone if one else zone, cuts)


def cash(told: Told_, billing: Billing) -> Iterator[Fact]:
    """What an invoice brings earlier than the baseline, in money times days; it could be written at the last delivery."""
    for bill in billing.bills:
        if not bill.is_surviving:
            continue
        its = [told[name] for name in bill.bills if name in told]
        times = [each.delivered for each in its]
        about = _about(bill, its[0] if its else None, "UTC")
        if not its or None in times:
            yield from summed("cash_released_amount", about, bill.posted[0], None, bill.currency, "per_day")
            continue
        last = max(each for each in times if each)
        spans = [(moment - last) / timedelta(days=1) for moment in reversed(bill.posted)]
        if spans[0] < 0:
            yield Fact(
                "cash_released_amount", "default", "per_day", "negative", about.day(bill.posted[0]), about.cuts,
                currency=bill.currency,
            )  # fmt: skip
            continue
        least, most = (round(bill.total * round(_BASELINE_DAYS - Decimal(str(span)), 6), 4) for span in spans)
        yield from summed(
            "cash_released_amount", about, bill.posted[0], (least, most), bill.currency, "per_day"
        )


def unbilled(told: Told, about: Subject) -> list[Fact]:
    """Where the proof says that it was refused, nothing was delivered, whatever the driver told dispatch."""
    if told.proof and not told.is_proven:
        return []
    amount = worth(told)
    since = told.proof.received if told.proof else told.delivered
    aged = Subject(about.zone, {**about.cuts, "age_days": age(since or NOW)})
    currency = told.order.currency if told.is_order_known else None
    return summed(
        "unbilled_delivered_amount", aged, NOW, (amount, amount) if amount is not None else None, currency
    )


def invoice_before_proof(told: Told, about: Subject, bill: Bill | None) -> list[Fact]:
    """A control: nobody bills what no live proof has shown."""
    if bill is None:
        return []
    shown = told.proof.received if told.proof else None
    is_broken = shown is None or bill.posted[1] < shown
    return judged("invoice_before_pod_rate", about, bill.posted[0], is_broken)
