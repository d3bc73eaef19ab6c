"""Every metric at NOW, from the world alone: one fact for each shipment, order or invoice that a metric looks at.

The shapes of the rows, single shipments, invoices and cases are in the modules beside this one. What is refused as
unreadable is known to no metric that needs it: it counts as excluded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sandbox.world import truth_billing, truth_cases, truth_driving, truth_fleet, truth_stops
from sandbox.world.known import Told, by_now, is_on_requested_day, is_order_refused, tell
from sandbox.world.model import World
from sandbox.world.moments import NOW
from sandbox.world.truth_billing import OWN, Billing
from sandbox.world.truth_hours import worked_s
from sandbox.world.truth_numbers import End, Fact, Row, Subject, at, judged, rows, spent
from sandbox.world.truth_promises import commitments, orders_kept, perfection

DISPATCH = "sandbox_dispatch"
DIMENSIONS = (
    "all", "company", "customer", "depot", "region", "carrier", "connection", "severity", "made_by", "age_days",
)  # fmt: skip
FEW = tuple(each for each in DIMENSIONS if each != "customer")


def kpis(world: World, shown: set[str], invoices: dict[str, list[dict[str, Any]]], points: int) -> list[Row]:
    """All rows over all time, but for those by customer, of which there are many."""
    return rows(facts(world, shown, invoices, points), ("all",), FEW)


def facts(
    world: World, shown: set[str], invoices: dict[str, list[dict[str, Any]]], points: int
) -> list[Fact]:
    """``shown``: the consignments that dispatch lists at NOW; ``invoices``: what the gate is to say; ``points``: how
    many positions the lorries were to tell."""
    told = {each.shipment.id: each for each in tell(world, shown)}
    own = {each["shipment_no"]: told[each["shipment_no"]] for each in invoices["post"]}
    candidates = {*own, *(each["shipment_no"] for each in invoices["block"])}
    billing = truth_billing.billing_of(world, own)
    zones = {company.id: company.zone for company in world.companies}
    found = [*truth_billing.errors(told, billing, zones), *truth_billing.cash(told, billing)]
    causes = {records[0].shipment.id: records[0].cause for records in truth_cases.cases(world)}
    for name, each in told.items():
        about = subject(each, billing)
        found += _shipment(each, about, billing)
        found += truth_cases.data_issues(each, about, causes)
        if name in candidates:
            found += judged("first_pass_gate_rate", about, NOW, name in own)
            if name not in billing.first:
                found += truth_billing.unbilled(each, about)
    found += _orders(world, told, billing.corrected)
    subjects = {name: subject(each, billing) for name, each in told.items()}
    found += truth_cases.resolving(world, subjects)
    found += truth_stops.at_stops(world, subjects)
    found += truth_fleet.loads(world, told)
    found += truth_driving.at_work(world, points)
    return found


def subject(told: Told, billing: Billing) -> Subject:
    """A shipment: nobody knows whose an order is that cannot be read."""
    order, depot = told.order, told.order.depot
    cuts: dict[str, str | None] = {
        "depot": depot.id,
        "region": depot.region,
        "carrier": told.shipment.carrier,
        "connection": DISPATCH,
        "made_by": billing.maker(told.shipment.id),
    }
    if told.is_order_known:
        cuts |= {"company": order.company, "customer": order.customer.id}
    return Subject(depot.zone, cuts)


def _shipment(told: Told, about: Subject, billing: Billing) -> Iterator[Fact]:
    yield from _times(told, about, billing)
    yield from _delivering(told, about)
    yield from commitments(told, about)
    yield from perfection(told, about, billing)
    yield from _untouched(told, about)
    yield from truth_billing.invoice_before_proof(told, about, billing.first.get(told.shipment.id))
    if told.proof and told.is_proven:
        received, posted = told.proof.received, billing.posted(told.shipment.id)
        # On no depot's calendar does a midnight fall into the half hour after NOW.
        is_same = posted is not None and about.day(posted[0]) == about.day(received)
        yield from judged("same_day_invoice_rate", about, received, is_same)


def _untouched(told: Told, about: Subject) -> Iterator[Fact]:
    """Nobody lends a hand in this world."""
    if told.departed:
        day = about.day(told.departed)
        metric = "manual_touches_per_100_shipments"
        yield Fact(metric, "default", "per_100", "in", day, about.cuts, denominator=1)


def _times(told: Told, about: Subject, billing: Billing) -> Iterator[Fact]:
    """Each cycle time on the calendar and in working hours."""
    posted, delivered = billing.posted(told.shipment.id), told.delivered
    proof = told.proof if told.is_proven else None
    spans: list[tuple[str, datetime | None, End | None]] = []
    # A redelivery is a second dispatch, and the first one counts.
    if not told.is_redelivery and not told.is_cancelled_before_dispatch:
        confirmed = by_now(told.order.confirmed) if told.is_order_known else None
        spans.append(("order_to_dispatch_s", confirmed, at(told.departed)))
        spans.append(("release_to_dispatch_s", released(told), at(told.departed)))
        # No customer of this world asks for an earliest release.
        yield from spent("order_to_dispatch_s", about, confirmed, at(told.departed), told.is_unsure, "net")
    if delivered:
        spans.append(("delivery_to_invoice_s", delivered, posted))
        spans.append(("delivered_to_captured_s", delivered, at(proof.captured if proof else None)))
    if proof:
        spans.append(("pod_to_invoice_s", proof.received, posted))
        spans.append(("captured_to_received_s", proof.captured, at(proof.received)))
        is_own = told.shipment.id in billing.own
        # What nobody released and nobody billed by hand waits for its release.
        if billing.maker(told.shipment.id) != "hand":
            spans.append(("received_to_released_s", proof.received, OWN if is_own else None))
            if is_own:
                spans.append(("released_to_posted_s", NOW, OWN))
    for metric, begun, ended in spans:
        yield from spent(metric, about, begun, ended, told.is_unsure)
        worked = None
        if begun and ended:
            worked = (worked_s(begun, ended[0], about.zone), worked_s(begun, ended[1], about.zone))
        yield from spent(metric, about, begun, ended, told.is_unsure, "business", worked)


def released(told: Told) -> datetime | None:
    return by_now(max(told.order.credit_ok, told.shipment.allocated)) if told.is_order_known else None


def _delivering(told: Told, about: Subject) -> Iterator[Fact]:
    order, moment = told.order, told.delivered
    if moment:
        requested = is_on_requested_day(order, moment) if told.is_order_known else None
        # No promise of this world is moved.
        for variant in ("first_confirmed", "last_confirmed"):
            yield from judged("on_time_rate", about, moment, told.is_on_time, variant)
        yield from judged("on_time_rate", about, moment, requested, "requested")
        yield from judged("in_full_rate", about, moment, told.is_in_full)
    # Whether a promise has passed that nobody can read is not known. A failed attempt is due as any other.
    if told.is_due:
        yield from judged("otif_rate", about, order.promised, told.is_otif, "shipment")
    elif not told.is_order_known and not told.is_cancelled_before_dispatch:
        yield from judged("otif_rate", about, None, None, "shipment")


def _orders(world: World, told: dict[str, Told], corrected: set[str]) -> Iterator[Fact]:
    """Orders: their first departure, their last as soon as nothing is left, and whether they were kept."""
    refused = {case.order.id for case in world.cases if is_order_refused(case)}
    parts: defaultdict[str, list[Told]] = defaultdict(list)
    for each in told.values():
        parts[each.order.id].append(each)
    for order in world.orders:
        its, depot = parts[order.id], order.depot
        if order.id in refused and not its:
            continue
        cuts: dict[str, str | None] = {"depot": depot.id, "connection": DISPATCH if its else "sandbox_erp"}
        if order.id not in refused:
            cuts |= {"company": order.company, "customer": order.customer.id}
        if its:
            cuts |= {"region": depot.region, "carrier": its[0].shipment.carrier}
        about = Subject(depot.zone, cuts)
        is_refused = order.id in refused
        yield from _dispatching(about, None if is_refused else by_now(order.confirmed), its, order.cancelled)
        yield from orders_kept(order, its, about, corrected, is_refused=is_refused)


def _dispatching(
    about: Subject, confirmed: datetime | None, parts: list[Told], cancelled: datetime | None
) -> Iterator[Fact]:
    its = [each for each in parts if not each.is_redelivery and not each.is_cancelled_before_dispatch]
    if not its and by_now(cancelled):
        return
    gone = [each.departed for each in its if each.departed]
    is_unsure = any(each.is_unsure for each in its)
    last = at(max(gone) if gone and len(gone) == len(its) else None)
    begun = {
        "order_to_dispatch_s": confirmed,
        "release_to_dispatch_s": min((moment for moment in map(released, its) if moment), default=None),
    }
    for metric, start in begun.items():
        yield from spent(metric, about, start, at(min(gone, default=None)), is_unsure, "order_first")
        yield from spent(metric, about, start, last, is_unsure, "order_last")
