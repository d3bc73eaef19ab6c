"""Open Trip Model 5's entities of the fleet as contract rows: vehicles, drivers, the points of routes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from ingestion.base import SourceRecord
from ingestion.dispatch.otm5_fields import Reader
from ingestion.otm5 import Entity, more_of, named_by, number
from ingestion.records import Fields, filled, record
from ingestion.times import Times


def vehicles(entities: Sequence[Entity], reader: Reader) -> list[SourceRecord]:
    """Lorries, what they carry, the devices in them and how long they serve."""

    def one(entity: Entity) -> SourceRecord:
        key, more = {"vehicle_id": entity.get("id")}, more_of(entity)

        def build() -> Fields:
            return key | {
                "license_plate": filled(entity.get("licensePlate")),
                "device_id": filled(more.get("deviceId")),
                "capacity_kg": _kilograms(entity.get("loadCapacities") or []),
                "in_service_from": Times().day(more.get("inServiceFrom"), "inServiceFrom"),
                "in_service_until": Times().day(more.get("inServiceUntil"), "inServiceUntil"),
            }

        return record("vehicles", entity, reader.changed_at(entity), build, key=key)

    return [one(each) for each in entities]


def drivers(entities: Sequence[Entity], reader: Reader) -> list[SourceRecord]:
    """Actors that drive; a name is not needed and not taken."""

    def one(entity: Entity) -> SourceRecord:
        key, more = {"driver_id": entity.get("id")}, more_of(entity)

        def build() -> Fields:
            return key | {"depot_id": filled(more.get("depotId")), "is_active": more.get("isActive", True)}

        return record("drivers", entity, reader.changed_at(entity), build, key=key)

    return [one(each) for each in entities if more_of(each).get("role") == "driver"]


def route_points(entities: Sequence[Entity], reader: Reader) -> list[SourceRecord]:
    """Each point of each route; a line of GeoJSON holds longitude first."""
    return [row for each in entities for row in _route(each, reader)]


def _route(entity: Entity, reader: Reader) -> Iterator[SourceRecord]:
    trip = filled(more_of(entity).get("tripId")) or named_by(entity.get("trip"))
    for nr, (latitude, longitude) in enumerate(_points(entity.get("geoReferences") or {})):
        fields: Fields = {
            "route_id": entity.get("id"),
            "sequence_nr": nr,
            "trip_id": trip,
            "latitude": number(latitude),
            "longitude": number(longitude),
        }
        raw = {"id": entity.get("id"), "nr": nr, "lat": latitude, "lon": longitude}
        yield record("route_points", raw, reader.changed_at(entity), partial(dict, fields), key=fields)


def _points(place: Entity) -> list[tuple[Any, Any]]:
    if place.get("type") == "Feature":
        line = place.get("geometry") or {}
        return [(each[1], each[0]) for each in line.get("coordinates") or []]
    return [(each.get("lat"), each.get("lon")) for each in place.get("points") or []]


def _kilograms(capacities: list[Entity]) -> Any:
    """The sum of what its compartments bear; a capacity in other units says nothing of weight."""
    known = [Decimal(each["value"]) for each in capacities if each.get("unit") == "kg"]
    return sum(known) if known else None
