"""Open Trip Model 5 entities of the fleet: vehicles, actors (drivers), routes; and the TMS's projected stops.

A prediction is a stop action with the lifecycle ``projected``: its start is the expected arrival, its creation the
moment at which it was issued. Each one is an entity of its own and never changes.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sandbox.world import routing
from sandbox.world.dialects.otm5 import dates, reference, stop_id, uid, unchanging
from sandbox.world.happenings import Eta
from sandbox.world.model import Trip, World
from sandbox.world.moments import START, iso
from sandbox.world.store import Documents


def write(world: World, documents: Documents) -> None:
    """Everything of dispatch that is not an order's, and the predictions of the TMS."""
    for number, lorry in enumerate(world.lorries, 1):
        until = lorry.in_service_until
        body = {
            "entityType": "vehicle",
            "id": uid(lorry.id),
            "name": lorry.id,
            "licensePlate": f"WB-{number:03d}",
            "loadCapacities": [{"value": lorry.capacity_kg, "unit": "kg"}],
            "externalAttributes": {
                "deviceId": lorry.device,
                "inServiceFrom": str(lorry.in_service_from),
                "inServiceUntil": str(until) if until else None,
            },
            **dates(START, START),
        }
        documents.add("dispatch", "vehicles", uid(lorry.id), [START], partial(unchanging, body))
    for driver in sorted({trip.driver for trip in world.trips}):
        body = _driver(driver)
        documents.add("dispatch", "actors", uid(driver), [START], partial(unchanging, body))
    for trip in world.trips:
        told = trip.planned
        documents.add("dispatch", "routes", f"RT-{trip.id}", [told], partial(unchanging, _route(trip)))
    for eta in world.etas:
        documents.add("tms", "actions", eta.id, [eta.issued], partial(unchanging, _projected(eta)))


def _driver(driver: str) -> dict[str, Any]:
    """Nobody's name: a number at a depot. The seventeenth has left."""
    depot, number = driver.removeprefix("DRV-").split("-")
    more = {"role": "driver", "depotId": depot, "isActive": number != "17"}
    return {
        "entityType": "actor",
        "id": uid(driver),
        "name": f"Driver {number} of {depot}",
        "externalAttributes": more,
        **dates(START, START),
    }


def _route(trip: Trip) -> dict[str, Any]:
    points = [{"lat": round(lat, 6), "lon": round(lon, 6)} for lat, lon in routing.planned(trip)]
    return {
        "entityType": "route",
        "id": f"RT-{trip.id}",
        "geoReferences": {"type": "latLonArrayGeoReference", "points": points},
        "externalAttributes": {"tripId": trip.id},
        **dates(trip.planned, trip.planned),
    }


def _projected(eta: Eta) -> dict[str, Any]:
    more = {
        "tripId": eta.trip.id,
        "stopId": stop_id(eta.trip, eta.nr),
        "consignmentId": eta.shipment.id,
        "issuer": eta.issuer,
    }
    return {
        "id": eta.id,
        "actionType": "stop",
        "lifecycle": "projected",
        "sequenceNr": eta.nr,
        "startTime": iso(eta.expected),
        "trip": reference("trip", eta.trip.id),
        "externalAttributes": more,
        **dates(eta.issued, eta.issued),
    }
