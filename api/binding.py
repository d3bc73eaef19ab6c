"""Which shipments a partner reaches: its own, those of the connections, carriers and customers that its connection file
names under ``reach``, and those it brought in itself. Everything else does not exist for it.

A shipment that nobody knows yet may be written to by a partner that reaches whole connections (a proof may come before its
shipment), and by nobody else: it could be anybody's. The same holds for orders, trips and stops. A lorry's unit and a
vehicle belong to no partner: they are told of by connections of a kind that has some. An order that is released
is the sender's own, unless shipments of another's order have its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Engine

from api.problems import Problem
from api.published import Owner, Published
from contracts.cloud_events import CloudEvent, Geofence, MaintenanceAlert, RouteDeviation
from contracts.messages import OrderRelease, RouteAssignment
from core.clock import utc_now
from core.connections import Connection
from state import claims

_FLEET_KINDS = frozenset({"telematics", "dispatch", "maintenance", "tms"})


@dataclass
class Named:
    """What a message is about. ``brought`` are shipments, ``released`` orders that it brings in itself."""

    shipments: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    trips: set[str] = field(default_factory=set)
    stops: set[str] = field(default_factory=set)
    brought: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
    is_of_the_fleet: bool = False

    def see(self, message: BaseModel) -> None:
        """Add what one message names."""
        if isinstance(message, RouteAssignment):
            self.brought |= {each.consignment_id for each in message.consignments}
            self.shipments |= {each.parent_id for each in message.consignments if each.parent_id}
            self.shipments -= self.brought
            self.orders |= {each.order_id for each in message.consignments}
            return
        if isinstance(message, OrderRelease):
            self.released.add(message.order_id)
            return
        said: Any = message.root.data if isinstance(message, CloudEvent) else message
        if isinstance(said, Geofence | RouteDeviation | MaintenanceAlert):
            self.is_of_the_fleet = True
        # A field that a model does not have costs a search when it is asked for.
        has = type(said).model_fields
        shipment, order, trip, stop = (
            getattr(said, name) if name in has else None
            for name in ("consignment_id", "order_id", "trip_id", "stop_id")
        )
        if order is not None:
            self.orders.add(order)
        if shipment is not None:
            self.shipments.add(shipment)
        elif trip is not None:
            self.trips.add(trip)
        elif stop is not None:
            self.stops.add(stop)


@dataclass(frozen=True)
class Asked:
    """One question: may this partner tell of what is named?"""

    connection: Connection
    named: Named

    @property
    def needs_looking_up(self) -> bool:
        """Whether anything is named that could be somebody's."""
        named = self.named
        return bool(
            named.shipments or named.brought or named.orders or named.released or named.trips or named.stops
        )


def asked(connection: Connection, messages: Iterable[BaseModel]) -> Asked:
    """What messages name, and who sent them; Problem 403 when that is nobody's to tell of."""
    named = Named()
    for each in messages:
        named.see(each)
    if named.is_of_the_fleet and connection.kind not in _FLEET_KINDS:
        raise Problem(
            403, "This partner has no fleet.", "Send it from the telematics' or the workshop's connection."
        )
    return Asked(connection, named)


def judge_all(published: Published, engine: Engine, several: Sequence[Asked]) -> list[Problem | None]:
    """Of each, Problem 404 when it names something that its sender does not reach. Claims what is brought in."""
    known = _known(published, engine, [each.named for each in several])
    judged: list[Problem | None] = []
    for each in several:
        try:
            _judge(engine, each.connection, each.named, known)
        except Problem as problem:
            judged.append(problem)
        else:
            judged.append(None)
    return judged


def owner(system: str, orders: str | None, carrier: str | None, customer: str | None) -> Owner:
    """Whose a published shipment is."""
    return Owner(frozenset(each for each in (system, orders) if each), carrier, customer)


def is_reached(connection: Connection, owner: Owner) -> bool:
    """Whether a partner reaches what is an owner's."""
    reach = connection.reach
    return bool(
        owner.connections & {connection.connection, *reach.connections}
        or owner.carrier_id in reach.carriers
        or owner.customer_id in reach.customers
    )


@dataclass(frozen=True)
class _Known:
    """What is known of all that several messages name: whose it is. ``claimed``: by whom, of shipments not published."""

    shipments: Mapping[str, Sequence[Owner]]
    orders: Mapping[str, Sequence[Owner]]
    trips: Mapping[str, Sequence[Owner]]
    stops: Mapping[str, Sequence[Owner]]
    claimed: Mapping[str, str]


def _known(published: Published, engine: Engine, several: Sequence[Named]) -> _Known:
    wanted = {id_ for each in several for id_ in each.shipments | each.brought}
    shipments = published.shipments(wanted)
    unknown = wanted - set(shipments)
    return _Known(
        shipments,
        published.orders({id_ for each in several for id_ in each.orders | each.released}),
        published.trips({id_ for each in several for id_ in each.trips}),
        published.stops({id_ for each in several for id_ in each.stops}),
        claims.owners(engine, unknown) if unknown else {},
    )


def _judge(engine: Engine, connection: Connection, named: Named, known: _Known) -> None:
    _refuse_foreign_shipments(engine, connection, named, known)
    _refuse(connection, named.released & set(known.orders), known.orders)
    _refuse(connection, named.orders, known.orders)
    _refuse(connection, named.trips, known.trips)
    _refuse(connection, named.stops, known.stops)


def _refuse_foreign_shipments(engine: Engine, connection: Connection, named: Named, known: _Known) -> None:
    wanted = named.shipments | named.brought
    unknown = {each for each in wanted if each not in known.shipments}
    _refuse(connection, wanted - unknown, known.shipments)
    claimed = {each for each in unknown if each in known.claimed}
    if any(known.claimed[each] != connection.connection for each in claimed):
        by_claim = {each: [Owner(frozenset({known.claimed[each]}), None, None)] for each in claimed}
        _refuse(connection, claimed, by_claim)
    _refuse(connection, unknown - claimed - named.brought, {})
    fresh = (unknown & named.brought) - claimed
    if fresh:
        taken = claims.claim(engine, connection.connection, fresh, utc_now())
        if any(name != connection.connection for name in taken.values()):
            raise _not_there()


def _refuse(connection: Connection, wanted: Iterable[str], known: Mapping[str, Sequence[Owner]]) -> None:
    for each in wanted:
        owners = known.get(each)
        if owners is None and not connection.reach.connections:
            raise _not_there()
        if owners is not None and not any(is_reached(connection, owner) for owner in owners):
            raise _not_there()


def _not_there() -> Problem:
    """The same for what does not exist and for what is another's: nobody learns which numbers are in use."""
    return Problem(
        404, "It names something that is not there for this partner.", "Send what this partner moves."
    )
