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

from api.gateway import Gateway
from api.problems import Problem
from api.published import Owner
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
        shipment, order, trip, stop = (
            getattr(said, name, None) for name in ("consignment_id", "order_id", "trip_id", "stop_id")
        )
        if order is not None:
            self.orders.add(order)
        if shipment is not None:
            self.shipments.add(shipment)
        elif trip is not None:
            self.trips.add(trip)
        elif stop is not None:
            self.stops.add(stop)


def check(gateway: Gateway, connection: Connection, messages: Sequence[BaseModel]) -> None:
    """Problem 404 when a message names something that its sender does not reach. Claims what it brings in."""
    named = Named()
    for each in messages:
        named.see(each)
    if named.is_of_the_fleet and connection.kind not in _FLEET_KINDS:
        raise Problem(
            403, "This partner has no fleet.", "Send it from the telematics' or the workshop's connection."
        )
    if named.shipments or named.brought:
        _refuse_foreign_shipments(gateway, connection, named)
    if named.released:
        known = gateway.published.orders(named.released)
        _refuse(connection, named.released & set(known), known)
    if named.orders:
        _refuse(connection, named.orders, gateway.published.orders(named.orders))
    if named.trips or named.stops:
        known = gateway.published.trips(named.trips, named.stops)
        _refuse(connection, named.trips | named.stops, known)


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


def _refuse_foreign_shipments(gateway: Gateway, connection: Connection, named: Named) -> None:
    wanted = named.shipments | named.brought
    known = gateway.published.shipments(wanted)
    unknown = {each for each in wanted if each not in known}
    owners = claims.owners(gateway.engine, unknown)
    foreign = {each: name for each, name in owners.items() if name != connection.connection}
    _refuse(connection, {each for each in wanted if each in known}, known)
    _refuse(
        connection,
        set(foreign),
        {each: [Owner(frozenset({name}), None, None)] for each, name in foreign.items()},
    )
    _refuse(connection, unknown - set(owners) - named.brought, {})
    fresh = (unknown & named.brought) - set(owners)
    if fresh:
        taken = claims.claim(gateway.engine, connection.connection, fresh, utc_now())
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
