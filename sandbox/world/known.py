"""What the five systems together can tell of one shipment at NOW. Whole tables and metrics are made elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sandbox.world.model import Case, Order, Pod, Shipment, World
from sandbox.world.moments import NOW, SITE, visible


def by_now(moment: datetime | None) -> datetime | None:
    return moment if moment and visible(moment) <= NOW else None


def live(shipment: Shipment) -> Pod | None:
    known = [pod for pod in shipment.pods if visible(pod.received) <= NOW]
    return known[-1] if known else None


def delivered(shipment: Shipment) -> datetime | None:
    return None if shipment.is_failed else by_now(shipment.delivered)


def next_midnight(day: date, zone: str) -> datetime:
    """The end of a day on the clocks of ``zone``."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))


def deadline(order: Order) -> datetime:
    """When the promise is broken: a date holds to the end of that day where the goods go."""
    if order.precision == "timestamp":
        return order.promised
    return next_midnight(order.promised.astimezone(ZoneInfo(order.depot.zone)).date(), order.depot.zone)


def is_on_time(order: Order, moment: datetime) -> bool:
    if order.promised_from and moment < order.promised_from:
        return False
    return moment < deadline(order) if order.precision == "date" else moment <= deadline(order)


def requested_end(order: Order) -> datetime:
    """The customer asks for a day and no hour: the one that the ERP's site writes into the order."""
    return next_midnight(order.promised.astimezone(SITE).date(), order.depot.zone)


def is_on_requested_day(order: Order, moment: datetime) -> bool:
    return moment < requested_end(order)


@dataclass(frozen=True)
class Told:
    """One shipment, as it is known at NOW; what cannot be known is None."""

    shipment: Shipment
    is_order_known: bool
    """The ERP's order was written so that it can be read."""
    is_unsure: bool
    """A time of it was told in the hour shown twice."""
    departed: datetime | None
    delivered: datetime | None
    proof: Pod | None
    """The newest proof, if it is not void."""
    is_alone: bool
    """Dispatch shows no other part of its order."""
    is_redelivered: bool = False
    """Dispatch shows another attempt at it."""
    codes: frozenset[str] = frozenset()
    """What is planted in it."""

    @property
    def order(self) -> Order:
        return self.shipment.order

    @property
    def is_proven(self) -> bool:
        return self.proof is not None and self.proof.outcome != "failed"

    @property
    def is_due(self) -> bool:
        """The promise is known and has passed, and the goods were not called off before they left."""
        return self.is_order_known and not self.is_cancelled_before_dispatch and deadline(self.order) <= NOW

    @property
    def is_otif(self) -> bool:
        return bool(self.is_on_time and self.is_in_full)

    @property
    def is_redelivery(self) -> bool:
        return self.shipment.relation == "redelivery"

    @property
    def is_cancelled_before_dispatch(self) -> bool:
        return by_now(self.shipment.cancelled) is not None and self.departed is None

    @property
    def is_on_time(self) -> bool | None:
        return is_on_time(self.order, self.delivered) if self.delivered and self.is_order_known else None

    @property
    def is_in_full(self) -> bool | None:
        """Every line of what was planned onto it, if others have their part, or else of the whole order.

        Nobody knows before a proof says so, nor, while the promise runs, whether the rest is still to come.
        """
        if not (self.delivered and self.is_order_known and self.proof):
            return None
        loaded, accepted = self.shipment.goods, self.proof.delivered
        ordered = {line.id: line.quantity for line in self.order.lines} if self.is_alone else loaded
        if _covers(accepted, ordered):
            return True
        return None if _covers(accepted, loaded) and deadline(self.order) > NOW else False


def tell(world: World, shown: set[str]) -> list[Told]:
    """Every shipment that dispatch shows at NOW and that can be read."""
    cases = {case.shipment.id: case for case in world.cases}
    lost = {case.shipment.id for case in world.cases if case.is_lost}
    known = [shipment for shipment in world.shipments if shipment.id in shown - lost]
    parts = Counter(shipment.order.id for shipment in known if shipment.relation != "redelivery")
    again = {shipment.parent for shipment in known if shipment.relation == "redelivery"}
    return [
        replace(
            _told(shipment, cases.get(shipment.id), parts[shipment.order.id] <= 1),
            is_redelivered=shipment.id in again,
        )
        for shipment in known
    ]


def is_order_refused(case: Case | None) -> bool:
    return bool(case and case.kind.letter and case.kind.letter[:2] == ("sandbox_erp", "orders"))


def _told(shipment: Shipment, case: Case | None, is_alone: bool) -> Told:
    is_void = bool(case and "POD_VOIDED" in case.codes)
    return Told(
        shipment,
        is_order_known=not is_order_refused(case),
        is_unsure=bool(case and "TIME_AMBIGUOUS" in case.warns),
        departed=by_now(shipment.departed),
        delivered=delivered(shipment),
        proof=None if is_void else live(shipment),
        is_alone=is_alone,
        codes=frozenset(case.codes) if case else frozenset(),
    )


def _covers(accepted: dict[str, int], asked: dict[str, int]) -> bool:
    return all(accepted.get(line, 0) >= count for line, count in asked.items())
