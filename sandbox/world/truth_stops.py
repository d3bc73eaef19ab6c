"""Stops: how long lorries waited beyond what is free, and how well their arrivals were foretold at five horizons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sandbox.world.happenings import Eta
from sandbox.world.known import by_now
from sandbox.world.model import Shipment, World
from sandbox.world.truth_numbers import Fact, Subject, at, judged, spent

HORIZONS_H = (24, 12, 4, 2, 1)
ACCURATE = timedelta(minutes=30)
_LEAVES_AFTER = timedelta(minutes=4)


@dataclass(frozen=True)
class Stop:
    """One that was reached, as dispatch tells it: left when the goods are handed over, or a little later."""

    about: Subject
    shipment: Shipment
    arrived: datetime
    left: datetime
    etas: tuple[Eta, ...]


def at_stops(world: World, subjects: Mapping[str, Subject]) -> Iterator[Fact]:
    """``subjects``: the shipments that are known; of the goods of others nobody knows whose they are."""
    for stop in _stops(world, subjects):
        yield from _waiting(stop)
        for hours in HORIZONS_H:
            yield from _foretold(stop, hours)


def _stops(world: World, subjects: Mapping[str, Subject]) -> Iterator[Stop]:
    told: defaultdict[str, list[Eta]] = defaultdict(list)
    for eta in world.etas:
        if by_now(eta.issued):
            told[eta.shipment.id].append(eta)
    for trip in world.trips:
        for shipment in trip.shipments:
            if shipment.arrived and shipment.delivered and by_now(shipment.delivered):
                known = subjects.get(shipment.id)
                cuts = {
                    **(known.cuts if known else {"connection": "sandbox_dispatch"}),
                    "depot": trip.depot.id, "region": shipment.order.customer.region, "made_by": None,
                }  # fmt: skip
                left = by_now(shipment.delivered + _LEAVES_AFTER) or shipment.delivered
                about = Subject(trip.depot.zone, cuts)
                yield Stop(about, shipment, shipment.arrived, left, tuple(told[shipment.id]))


def _waiting(stop: Stop) -> Iterator[Fact]:
    stayed = (stop.left - stop.arrived).total_seconds()
    beyond = max(stayed - stop.shipment.order.customer.free_time_s, 0.0)
    # No claim for waiting is in order here: one names no evidence, one was told with two amounts.
    yield from spent("detention_s", stop.about, stop.arrived, at(stop.left), measured=(beyond, beyond))


def _foretold(stop: Stop, hours: int) -> Iterator[Fact]:
    """By the last that was told early enough; what was told later, or after the arrival, says nothing."""
    early = [eta for eta in stop.etas if stop.arrived - eta.issued >= timedelta(hours=hours)]
    last = max(early, key=lambda eta: eta.issued, default=None)
    variant = f"h{hours}"
    about = replace(stop.about, cuts={**stop.about.cuts, "made_by": last.issuer if last else None})
    yield from judged("eta_coverage_rate", about, stop.arrived, last is not None, variant)
    if last:
        off = stop.arrived - last.expected
        yield from judged("eta_accuracy_rate", about, stop.arrived, abs(off) <= ACCURATE, variant)
        for metric, length in (("eta_absolute_error_s", abs(off)), ("eta_bias_s", off)):
            yield _mean(metric, about, stop.arrived, length.total_seconds(), variant)


def _mean(metric: str, about: Subject, moment: datetime, seconds: float, variant: str) -> Fact:
    return Fact(
        metric, variant, "mean", "in", about.day(moment), about.cuts, span=(seconds, seconds),
        numerator=round(seconds), denominator=1,
    )  # fmt: skip
