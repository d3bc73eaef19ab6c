"""OTM 5 entities in the contracts' words. What OTM has no field for travels in ``externalAttributes``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ingestion.base import Rejection, SourceRecord
from ingestion.http import has_repeated_key
from ingestion.times import BadTime, Times

Entity = Mapping[str, Any]
Mapper = Callable[[Iterable[Entity], str], Iterator[SourceRecord]]
Fields = dict[str, Any] | Callable[[Times], dict[str, Any]]


def locations(entities: Iterable[Entity], zone: str) -> Iterator[SourceRecord]:
    for each in entities:
        place, more = each.get("geoReference") or {}, _more(each)
        yield _record(
            "locations",
            each,
            zone,
            {
                "location_id": each.get("id"),
                "name": each.get("name"),
                "kind": {"warehouse": "depot"}.get(str(each.get("type")), each.get("type")),
                "time_zone": more.get("timeZone"),
                "latitude": _number(place.get("lat")),
                "longitude": _number(place.get("lon")),
                "region": more.get("region"),
            },
        )


def vehicles(entities: Iterable[Entity], zone: str) -> Iterator[SourceRecord]:
    for each in entities:
        fields = {
            "vehicle_id": each.get("id"),
            "license_plate": each.get("licensePlate"),
            "device_id": _more(each).get("deviceId"),
        }
        yield _record("vehicles", each, zone, fields)


def trips(entities: Iterable[Entity], zone: str) -> Iterator[SourceRecord]:
    for each in entities:
        drivers = [_reference(actor) for actor in each.get("actors") or []]
        fields = {
            "trip_id": each.get("id"),
            "status": each.get("status"),
            "vehicle_id": _reference(each.get("vehicle")),
            "driver_id": drivers[0] if drivers else None,
            "driver_count": len(drivers),
            "depot_id": _more(each).get("depotId"),
        }
        yield _record("trips", each, zone, fields)


def consignments(entities: Iterable[Entity], zone: str) -> Iterator[SourceRecord]:
    listed = list(entities)
    looping = _looping({str(each.get("id")): _more(each).get("parentId") for each in listed})
    for each in listed:
        refused = Rejection("CYCLE", "its parents lead back to itself") if each.get("id") in looping else None
        yield _record("consignments", each, zone, _consignment(each), refused=refused)
        for goods in each.get("goods") or []:
            yield _record("consignment_lines", goods, zone, _line(each, goods), parent=each)
        for charge in _more(each).get("charges") or []:
            yield _record("consignment_charges", charge, zone, _charge(each, charge), parent=each)


def actions(entities: Iterable[Entity], zone: str) -> Iterator[SourceRecord]:
    listed = list(entities)
    looping = _looping(
        {str(each.get("id")): _stop_of(each) for each in listed if each.get("actionType") == "stop"}
    )
    for each in listed:
        refused = Rejection("CYCLE", "its stops lead back to itself") if each.get("id") in looping else None
        yield _record("actions", each, zone, _action(each), refused=refused)


def _consignment(entity: Entity) -> Fields:
    more = _more(entity)

    def fields(times: Times) -> dict[str, Any]:
        return {
            "consignment_id": entity.get("id"),
            "order_id": more.get("orderId"),
            "status": entity.get("status"),
            "parent_id": more.get("parentId"),
            "relation": more.get("relation"),
            "depot_id": more.get("depotId"),
            "delivery_location_id": more.get("deliveryLocationId"),
            "carrier_id": more.get("carrierId"),
            "time_zone": more.get("timeZone"),
            "cancelled_at": times.instant(more.get("cancelledAt")),
        }

    return fields


def _line(entity: Entity, goods: Entity) -> dict[str, Any]:
    more = _more(goods)
    return {
        "consignment_line_id": goods.get("id"),
        "consignment_id": entity.get("id"),
        "order_line_id": more.get("orderLineId"),
        "item_id": more.get("itemCode"),
        "quantity": more.get("quantityDecimal", goods.get("quantity")),
        "uom": more.get("uom"),
        "weight_kg": more.get("weightKg"),
    }


def _charge(entity: Entity, charge: Entity) -> dict[str, Any]:
    return {
        "charge_id": charge.get("id"),
        "consignment_id": entity.get("id"),
        "code": charge.get("code"),
        "amount": charge.get("amount"),
        "currency": charge.get("currency"),
        "evidence_action_id": charge.get("evidenceActionId"),
    }


def _action(entity: Entity) -> Fields:
    more, result = _more(entity), entity.get("result") or {}

    def fields(times: Times) -> dict[str, Any]:
        found = {
            "action_id": entity.get("id"),
            "action_type": entity.get("actionType"),
            "lifecycle": entity.get("lifecycle"),
            "result_status": result.get("status"),
            "result_reason": result.get("reason"),
            "trip_id": more.get("tripId") or _reference(entity.get("trip")),
            "consignment_id": more.get("consignmentId") or _reference(entity.get("consignment")),
            "stop_id": _stop_of(entity),
            "location_id": more.get("locationId") or _reference(entity.get("location")),
            "sequence_nr": entity.get("sequenceNr"),
            "start_at": times.instant(entity.get("startTime")),
            "end_at": times.instant(entity.get("endTime")),
            "planned_start_at": times.instant(more.get("plannedStart")),
            "planned_end_at": times.instant(more.get("plannedEnd")),
            "free_time_s": more.get("freeTimeS"),
            "has_second_driver": bool(more.get("secondDriverId")),
        }
        return found | {"time_quality": times.quality}

    return fields


def _record(
    resource: str,
    entity: Entity,
    zone: str,
    fields: Fields,
    *,
    parent: Entity | None = None,
    refused: Rejection | None = None,
) -> SourceRecord:
    """One row; goods and charges carry their consignment's version."""
    head = parent or entity
    mapped: dict[str, Any] | None = None
    try:
        mapped = fields if isinstance(fields, dict) else fields(Times(zone))
    except BadTime as error:
        refused = refused or error.rejection
    if refused is None and has_repeated_key(entity):
        refused = Rejection("FIELD_INVALID", "a key is named twice")
    is_consignment = "transportOrder" in head or "orderId" in _more(head)
    shipment = head.get("id") if is_consignment else _more(head).get("consignmentId")
    return SourceRecord(
        resource=resource,
        raw=entity,
        version=_version(head),
        fields=mapped,
        rejection=refused,
        order_ref=_text(_more(head).get("orderId")),
        shipment_ref=_text(shipment),
    )


def _looping(parents: Mapping[str, object]) -> set[str]:
    """The ids whose chain of parents comes back to themselves."""
    looping = set()
    for start in parents:
        seen, at = set[str](), parents.get(start)
        while isinstance(at, str) and at not in seen and at != start:
            seen.add(at)
            at = parents.get(at)
        if at == start:
            looping.add(start)
    return looping


def _more(entity: Entity) -> Mapping[str, Any]:
    return entity.get("externalAttributes") or {}


def _stop_of(entity: Entity) -> object:
    return _more(entity).get("stopId") or _reference(entity.get("stop"))


def _reference(value: object) -> object:
    """The id of what an association points to, inline or by reference."""
    if not isinstance(value, dict):
        return None
    inner = value.get("entity")
    return inner.get("id") if isinstance(inner, dict) else value.get("uuid") or value.get("id")


def _version(entity: Entity) -> datetime | None:
    try:
        return Times("UTC").instant(entity.get("lastModified"))
    except BadTime:
        return None


def _number(value: object) -> object:
    return None if value is None else float(str(value))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
