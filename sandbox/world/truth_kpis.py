"""Every metric at NOW, from the world alone; the shapes of the rows and single shipments are made elsewhere.

Waybill posts what it may as soon as it runs, which nobody can know to the second: a posting of its own lies
between NOW and half an hour later, the time in which the world stands still. Invoices made by hand are exact.
An invoice bills the shipments that it names, or each shipment of the order that it names; one that names
nothing bills nobody. What is refused as unreadable is known to no metric that needs it: it counts as excluded.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world.known import (
    Told,
    by_now,
    deadline,
    is_on_requested_day,
    is_on_time,
    is_order_refused,
    tell,
)
from sandbox.world.model import Invoice, Order, Shipment, World, totals
from sandbox.world.moments import NOW, QUIET
from sandbox.world.truth_numbers import End, Item, Row, amount, at, cycle, rate

_OWN: End = (NOW, NOW + QUIET)


@dataclass(frozen=True)
class Billing:
    """When each shipment's first invoice that still stands was posted, and by whom."""

    first: dict[str, End]
    hand: set[str]
    own: set[str]

    def made_by(self, maker: str) -> set[str]:
        return self.own if maker == "waybill" else self.hand


def kpis(world: World, shown: set[str], invoices: dict[str, list[dict[str, Any]]]) -> list[Row]:
    """All rows over all time: those of dimension ``all``, and by who made the invoice where one is in it."""
    told = tell(world, shown)
    own = {each["shipment_no"] for each in invoices["post"]}
    candidates = own | {each["shipment_no"] for each in invoices["block"]}
    billing = _billing(world, own)
    made = [
        *_dispatching(told),
        *_orders_dispatching(world, told),
        *_stages(told, billing),
        *_delivering(world, told),
    ]
    made.append(rate("first_pass_gate_rate", (each in own for each in sorted(candidates))))
    made += _invoicing(told, billing, {"dimension": "all", "dimension_value": "all"})
    made += _errors(world, own)
    made += _unbilled([each for each in told if each.shipment.id in candidates - set(billing.first)])
    for maker in ("hand", "waybill"):
        theirs = [each for each in told if each.shipment.id in billing.made_by(maker)]
        made += _invoicing(theirs, billing, {"dimension": "made_by", "dimension_value": maker})
    return made


def _dispatching(told: list[Told]) -> list[Row]:
    """A redelivery is a second dispatch, and the first one counts."""
    due = [each for each in told if not each.is_redelivery and not each.is_cancelled_before_dispatch]

    def confirmed(each: Told) -> datetime | None:
        return by_now(each.order.confirmed) if each.is_order_known else None

    ordered = [(confirmed(each), at(each.departed), each.is_unsure) for each in due]
    return [
        cycle("order_to_dispatch_s", ordered),
        # No customer of this world asks for an earliest release.
        cycle("order_to_dispatch_s", ordered, "net"),
        cycle("release_to_dispatch_s", [(_released(e), at(e.departed), e.is_unsure) for e in due]),
    ]


def _released(each: Told) -> datetime | None:
    return by_now(max(each.order.credit_ok, each.shipment.allocated)) if each.is_order_known else None


def _orders_dispatching(world: World, told: list[Told]) -> list[Row]:
    """An order's first departure, and its last as soon as nothing of it is left; it may have no shipment yet."""
    refused = {case.order.id for case in world.cases if is_order_refused(case)}
    parts: defaultdict[str, list[Told]] = defaultdict(list)
    for each in told:
        if not each.is_redelivery and not each.is_cancelled_before_dispatch:
            parts[each.order.id].append(each)
    found: defaultdict[tuple[str, str], list[Item]] = defaultdict(list)
    for order in world.orders:
        its = parts[order.id]
        if not its and by_now(order.cancelled):
            continue
        released = [moment for moment in map(_released, its) if moment]
        begun = {
            "order_to_dispatch_s": None if order.id in refused else by_now(order.confirmed),
            "release_to_dispatch_s": min(released, default=None),
        }
        gone = [each.departed for each in its if each.departed]
        is_unsure = any(each.is_unsure for each in its)
        last = at(max(gone) if gone and len(gone) == len(its) else None)
        for metric, start in begun.items():
            found[metric, "order_first"].append((start, at(min(gone, default=None)), is_unsure))
            found[metric, "order_last"].append((start, last, is_unsure))
    return [cycle(metric, items, variant) for (metric, variant), items in found.items()]


def _stages(told: list[Told], billing: Billing) -> list[Row]:
    """What nobody released and nobody billed by hand waits for its release."""
    here = [
        (e.delivered, at(e.proof.captured) if e.proof and e.is_proven else None, e.is_unsure)
        for e in told
        if e.delivered
    ]
    proven = [(e, e.proof) for e in told if e.proof and e.is_proven]
    ours = [(e, proof) for e, proof in proven if e.shipment.id not in billing.hand]
    released = [
        (proof.received, _OWN if e.shipment.id in billing.own else None, e.is_unsure) for e, proof in ours
    ]
    posted = [(NOW, _OWN, e.is_unsure) for e, _ in ours if e.shipment.id in billing.own]
    return [
        cycle("delivered_to_captured_s", here),
        cycle("captured_to_received_s", [(p.captured, at(p.received), e.is_unsure) for e, p in proven]),
        cycle("received_to_released_s", released),
        cycle("released_to_posted_s", posted),
    ]


def _delivering(world: World, told: list[Told]) -> list[Row]:
    here = [each for each in told if each.delivered]
    requested = [
        is_on_requested_day(e.order, e.delivered) if e.is_order_known else None for e in here if e.delivered
    ]
    # Whether a promise has passed that nobody can read is not known. A failed attempt is due as any other.
    due = [
        bool(each.is_on_time and each.is_in_full) if each.is_order_known else None
        for each in told
        if not each.is_cancelled_before_dispatch and (not each.is_order_known or deadline(each.order) <= NOW)
    ]
    return [
        rate("on_time_rate", (each.is_on_time for each in here), "first_confirmed"),
        # No promise of this world is moved.
        rate("on_time_rate", (each.is_on_time for each in here), "last_confirmed"),
        rate("on_time_rate", requested, "requested"),
        rate("in_full_rate", (each.is_in_full for each in here)),
        rate("otif_rate", due, "shipment"),
        rate("otif_rate", _orders(world, told), "order"),
    ]


def _orders(world: World, told: list[Told]) -> list[bool | None]:
    """Due orders: all that was ordered accepted, however many shipments and attempts it took, all on time."""
    refused = {case.order.id for case in world.cases if is_order_refused(case)}
    parts: defaultdict[str, list[Told]] = defaultdict(list)
    for each in told:
        parts[each.order.id].append(each)
    return [
        None if order.id in refused else _is_otif(order, parts[order.id])
        for order in world.orders
        if not (by_now(order.cancelled) and not any(each.departed for each in parts[order.id]))
        and (order.id in refused or deadline(order) <= NOW)
    ]


def _is_otif(order: Order, parts: list[Told]) -> bool:
    accepted: defaultdict[str, int] = defaultdict(int)
    for each in parts:
        if each.delivered and each.proof:
            for line, count in each.proof.delivered.items():
                accepted[line] += count
    is_in_full = all(accepted[line.id] >= line.quantity for line in order.lines)
    return is_in_full and all(is_on_time(order, each.delivered) for each in parts if each.delivered)


def _billing(world: World, own: set[str]) -> Billing:
    posted = [each for each in world.hand_invoices if by_now(each.posted)]
    credited = {each.credits for each in posted if each.credits}
    first: dict[str, End] = dict.fromkeys(own, _OWN)
    hand = set()
    for invoice in sorted(posted, key=lambda each: (each.posted, each.id), reverse=True):
        if not invoice.credits and invoice.id not in credited:
            for shipment in _billed(invoice):
                first[shipment.id] = (invoice.posted, invoice.posted)
                hand.add(shipment.id)
    return Billing(first, hand, own - hand)


def _billed(invoice: Invoice) -> list[Shipment]:
    if invoice.names is None:
        return []
    return [invoice.shipment] if invoice.names == "shipment" else invoice.shipment.order.shipments


def _invoicing(told: list[Told], billing: Billing, cut: dict[str, str]) -> list[Row]:
    first = billing.first
    proven = [(e, e.proof.received) for e in told if e.proof and e.is_proven]
    here = [(e.delivered, first.get(e.shipment.id), e.is_unsure) for e in told if e.delivered]
    return [
        cycle("pod_to_invoice_s", [(at_, first.get(e.shipment.id), e.is_unsure) for e, at_ in proven], **cut),
        cycle("delivery_to_invoice_s", here, **cut),
        rate(
            "same_day_invoice_rate",
            (_is_same_day(e, received, first.get(e.shipment.id)) for e, received in proven),
            **cut,
        ),
    ]


def _is_same_day(each: Told, received: datetime, posted: End | None) -> bool:
    """On the depot's calendar, on which no midnight falls into the half hour after NOW."""
    zone = ZoneInfo(each.order.depot.zone)
    return posted is not None and posted[0].astimezone(zone).date() == received.astimezone(zone).date()


def _errors(world: World, own: set[str]) -> list[Row]:
    posted = [each for each in world.hand_invoices if by_now(each.posted)]
    credited = {each.credits for each in posted if each.credits}
    hand = [each.id in credited for each in posted if not each.credits]
    clean = [False for _ in own]
    by_maker = (("hand", hand), ("waybill", clean))
    everything = hand + clean
    # Who gives credit in this world gives all of it back, and nobody cancels what is posted.
    nothing = [False for _ in everything]
    by_reason = {"default": everything, "credited_in_full": everything}
    by_reason |= {"credited_in_part": nothing, "cancelled": nothing}
    return [
        *(rate("invoice_error_rate", wrong, reason) for reason, wrong in by_reason.items()),
        *(rate("invoice_error_rate", w, dimension="made_by", dimension_value=m) for m, w in by_maker),
    ]


def _unbilled(told: list[Told]) -> list[Row]:
    """What a proof says was accepted, at the order's prices; without a proof nobody knows how much.

    Where the proof says that it was refused, nothing was delivered, whatever the driver told dispatch.
    """
    found: defaultdict[str | None, list[Decimal | None]] = defaultdict(list)
    for each in told:
        if each.proof and not each.is_proven:
            continue
        if not each.is_order_known:
            found[None].append(None)
        elif each.proof is None:
            found[each.order.currency].append(None)
        else:
            parts = [(line, Decimal(each.proof.delivered.get(line.id, 0))) for line in each.order.lines]
            found[each.order.currency].append(sum(totals(parts, each.order.currency), Decimal(0)))
    return [
        amount("unbilled_delivered_amount", currency, found[currency])
        for currency in sorted(found, key=lambda name: name or "")
    ]
