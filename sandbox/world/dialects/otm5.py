"""Open Trip Model 5 entities of orders and trips. A reference's ``uuid`` is UUIDv5 of the id; the id itself travels
beside it. Lorries, drivers, routes and predictions are in otm5_fleet.py."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from sandbox.world.gs1 import gln, sscc
from sandbox.world.model import Shipment, Trip, World
from sandbox.world.moments import START, iso
from sandbox.world.store import Documents

_SPACE = uuid.UUID("d7c5b6de-3d51-5d5e-9c0e-1c7e0f2f6a10")


@cache
def uid(name: str) -> str:
    """The UUID of what has this name."""
    return str(uuid.uuid5(_SPACE, name))


def write(world: World, documents: Documents) -> None:
    """Locations, trips, consignments and actions."""
    zones = {depot.id: depot.zone for depot in world.depots}
    places: list[tuple[Any, ...]] = [
        (d.id, d.name, "warehouse", d.lat, d.lon, d.zone, d.region, gln(0, number), d.un_code)
        for number, d in enumerate(world.depots, 1)
    ]
    places += [
        (f"LOC-{c.id}", c.name, "customer", c.lat, c.lon, zones[c.depot], c.region, gln(1, c.number), None)
        for c in world.customers
    ]
    for identity, name, kind, lat, lon, zone, region, number, un_code in places:
        geo = {"type": "latLonPointGeoReference", "lat": lat, "lon": lon}
        body = {
            "entityType": "location",
            "id": identity,
            "name": name,
            "type": kind,
            "geoReference": geo,
            "externalAttributes": {"timeZone": zone, "region": region, "gln": number, "unCode": un_code},
            **dates(START, START),
        }
        documents.add("dispatch", "locations", identity, [START], partial(unchanging, body))
    for trip in world.trips:
        moments = [trip.planned, trip.departed, trip.back]
        documents.add("dispatch", "trips", trip.id, moments, partial(_trip, trip, trip.planned))
        for nr, shipment in enumerate(trip.shipments, 1):
            _actions(documents, shipment, trip, nr)
    for shipment in world.shipments:
        moments = [
            m for m in (shipment.allocated, shipment.departed, shipment.delivered, shipment.cancelled) if m
        ]
        documents.add(
            "dispatch",
            "consignments",
            shipment.id,
            moments,
            partial(consignment, shipment),
        )


def unchanging(body: dict[str, Any], at: datetime, modified: datetime) -> dict[str, Any]:
    """What never changes."""
    return body


def dates(created: datetime, modified: datetime) -> dict[str, str]:
    """When an entity came and when it last changed."""
    return {"creationDate": iso(created), "lastModified": iso(modified)}


def stop_id(trip: Trip, nr: int) -> str:
    """What a trip's stop is called; its stop action has the same name."""
    return f"STOP-{trip.id}-{nr}"


def reference(kind: str, name: str) -> dict[str, Any]:
    return {"associationType": "reference", "entityType": kind, "uuid": uid(name)}


def _trip(trip: Trip, planned: datetime, at: datetime, modified: datetime) -> dict[str, Any]:
    status = "completed" if trip.back <= at else "inTransit" if trip.departed <= at else "confirmed"
    return {
        "entityType": "trip",
        "id": trip.id,
        "status": status,
        "transportMode": "road",
        "vehicle": reference("vehicle", trip.vehicle),
        "actors": [{**reference("actor", trip.driver), "roles": ["driver"]}],
        "externalAttributes": {"depotId": trip.depot.id},
        **dates(planned, modified),
    }


def consignment(shipment: Shipment, at: datetime, modified: datetime) -> dict[str, Any]:
    """The load as dispatch knew it at ``at``."""
    order = shipment.order
    status = "accepted"
    if shipment.cancelled and shipment.cancelled <= at:
        status = "cancelled"
    elif shipment.delivered and shipment.delivered <= at:
        status = "completed"
    elif shipment.departed and shipment.departed <= at:
        status = "inTransit"
    goods = []
    for line in order.lines:
        loaded = shipment.goods.get(line.id, 0)
        if loaded:
            entity = {
                "type": "items",
                "id": f"{shipment.id}-{line.id[-2:]}",
                "quantity": loaded,
                "description": line.item.name,
                "externalAttributes": {
                    "orderLineId": line.id,
                    "itemCode": line.item.id,
                    "uom": line.item.uom,
                    "quantityDecimal": str(loaded),
                    "weightKg": str(line.item.weight * loaded),
                    "sscc": sscc(shipment.id),
                },
            }
            goods.append({"associationType": "inline", "entity": entity})
    more: dict[str, Any] = {
        "orderId": order.id,
        "depotId": order.depot.id,
        "carrierId": shipment.carrier,
        "deliveryLocationId": f"LOC-{order.customer.id}",
        "timeZone": order.depot.zone,
        "charges": shipment.charges,
    }
    if shipment.parent:
        more |= {"parentId": shipment.parent, "relation": shipment.relation}
    if shipment.cancelled and shipment.cancelled <= at:
        more["cancelledAt"] = iso(shipment.cancelled)
    return {
        "entityType": "consignment",
        "id": shipment.id,
        "status": status,
        "goods": goods,
        "transportOrder": reference("transportOrder", order.id),
        "externalAttributes": more,
        **dates(shipment.allocated, modified),
    }


def _actions(documents: Documents, shipment: Shipment, trip: Trip, nr: int) -> None:
    arrived, delivered = shipment.arrived, shipment.delivered
    assert arrived and delivered
    planned, order = trip.planned, shipment.order
    place, stop = f"LOC-{order.customer.id}", stop_id(trip, nr)
    result: dict[str, Any] = {"status": "succeeded"}
    if shipment.is_failed:
        result = {"status": "failed", "reason": "receiverAbsent"}
    elif shipment.pods and shipment.pods[-1].outcome == "partiallySucceeded":
        result = {"status": "partiallySucceeded"}
    plan = {
        "load": (
            trip.departed - timedelta(minutes=25),
            trip.departed,
            trip.depot.id,
            {"status": "succeeded"},
            0,
        ),
        "stop": (arrived, delivered + timedelta(minutes=4), place, result, nr * 2 - 1),
        "handOver": (arrived, delivered, place, result, nr * 2),
    }
    for kind, (start, end, where, outcome, sequence) in plan.items():
        identity = stop if kind == "stop" else f"A-{shipment.id[3:]}-{kind}"
        window = (
            {
                "plannedStart": iso(arrived - timedelta(minutes=45)),
                "plannedEnd": iso(arrived + timedelta(minutes=30)),
                "freeTimeS": order.customer.free_time_s,
            }
            if kind == "stop"
            else {}
        )
        more = {
            "tripId": trip.id,
            "stopId": stop,
            "consignmentId": shipment.id,
            "locationId": where,
            **window,
        }
        fixed = {"id": identity, "actionType": kind, "sequenceNr": sequence, "externalAttributes": more}
        if kind != "stop":
            fixed["consignment"] = reference("consignment", shipment.id)
        make = partial(_action, fixed, (planned, start, end), outcome)
        documents.add("dispatch", "actions", identity, [planned, end], make)


def _action(
    fixed: dict[str, Any],
    times: tuple[datetime, datetime, datetime],
    result: dict[str, Any],
    at: datetime,
    modified: datetime,
) -> dict[str, Any]:
    """Planned before it ends, realized with its result from then on."""
    planned, start, end = times
    if end > at:
        return {**fixed, "lifecycle": "planned", **dates(planned, modified)}
    realized = {"lifecycle": "realized", "startTime": iso(start), "endTime": iso(end), "result": result}
    return {**fixed, **realized, **dates(planned, modified)}
