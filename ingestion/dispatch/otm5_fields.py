"""Open Trip Model 5's entities of orders and trips as contract rows, field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from ingestion.base import SourceRecord
from ingestion.otm5 import Entity, inner_of, more_of, named_by, number
from ingestion.records import Fields, filled, record
from ingestion.times import Refused, Times

_LOCATION_KINDS = {"warehouse": "depot", "customer": "customer"}


@dataclass(frozen=True)
class Reader:
    """How times are read: a fresh time reader a row, and an entity's own change time.

    ``parents`` are the consignments' parents as far as they were ever read, so that a cycle over pages or
    readings shows; ``stops`` are the stops that actions are nested in.
    """

    times: Callable[[], Times]
    changed_at: Callable[[Entity], datetime | None]
    parents: dict[Any, Any] = field(default_factory=dict)
    stops: dict[Any, Any] = field(default_factory=dict)


def locations(entities: Sequence[Entity], reader: Reader) -> list[SourceRecord]:
    """Depots (warehouses) and customers' places."""

    def one(entity: Entity) -> SourceRecord:
        key = {"location_id": entity.get("id")}

        def build() -> Fields:
            more, place = more_of(entity), entity.get("geoReference") or {}
            kind = entity.get("type")
            return key | {
                "name": entity.get("name"),
                "kind": _LOCATION_KINDS.get(str(kind), kind),
                "time_zone": more.get("timeZone"),
                "latitude": number(place.get("lat")),
                "longitude": number(place.get("lon")),
                "region": filled(more.get("region")),
                "gln": filled(more.get("gln")),
                "un_code": filled(more.get("unCode")),
            }

        return record("locations", entity, reader.changed_at(entity), build, key=key)

    return [one(each) for each in entities]


def trips(entities: Sequence[Entity], reader: Reader) -> list[SourceRecord]:
    """Journeys with their vehicle and drivers."""

    def one(entity: Entity) -> SourceRecord:
        key = {"trip_id": entity.get("id")}

        def build() -> Fields:
            drivers = [each for each in entity.get("actors") or [] if "driver" in _roles(each)]
            return key | {
                "status": entity.get("status"),
                "vehicle_id": named_by(entity.get("vehicle")),
                "driver_id": named_by(drivers[0]) if drivers else None,
                "driver_count": len(drivers),
                "depot_id": filled(more_of(entity).get("depotId")),
            }

        return record("trips", entity, reader.changed_at(entity), build, key=key)

    return [one(each) for each in entities]


def consignments(entities: Sequence[Entity], reader: Reader) -> list[SourceRecord]:
    """Consignments, their goods and their charges; one that is its own ancestor is refused."""
    reader.parents.update({each.get("id"): more_of(each).get("parentId") for each in entities})
    return [row for each in entities for row in _consignment(each, reader)]


def actions(entities: Sequence[Entity], reader: Reader) -> list[SourceRecord]:
    """Stops, loads, unloads and hand-overs; a stop that is nested in itself is refused."""
    for each in entities:
        inner = each.get("actions")
        names = [named_by(one) for one in inner] if isinstance(inner, list) else []
        reader.stops.update(dict.fromkeys(names, each.get("id")))
    return [_action(each, reader) for each in entities]


def _consignment(entity: Entity, reader: Reader) -> Iterator[SourceRecord]:
    more, changed = more_of(entity), reader.changed_at(entity)
    key = {"consignment_id": entity.get("id")}
    order_no = more.get("orderId") or more_of(inner_of(entity.get("transportOrder"))).get("orderId")

    def build() -> Fields:
        if _is_cyclic(entity.get("id"), reader.parents):
            raise Refused("CYCLE", f"{entity.get('id')!r} is its own ancestor by parentId")
        return key | {
            "order_id": filled(order_no),
            "status": entity.get("status"),
            "parent_id": filled(more.get("parentId")),
            "relation": filled(more.get("relation")),
            "depot_id": filled(more.get("depotId")),
            "delivery_location_id": filled(more.get("deliveryLocationId")),
            "carrier_id": filled(more.get("carrierId")),
            "time_zone": filled(more.get("timeZone")),
            "cancelled_at": reader.times().iso(more.get("cancelledAt"), "cancelledAt"),
        }

    yield record("consignments", entity, changed, build, key=key, order_ref=order_no)
    for each in entity.get("goods") or []:
        fields = _line(inner_of(each), key)
        yield record(
            "consignment_lines", each, changed, partial(dict, fields), key=fields, order_ref=order_no
        )
    for each in more.get("charges") or []:
        fields = _charge(each, key)
        yield record(
            "consignment_charges", each, changed, partial(dict, fields), key=fields, order_ref=order_no
        )


def _line(goods: Entity, key: Fields) -> Fields:
    more = more_of(goods)
    quantity = more.get("quantityDecimal")
    return {
        "consignment_line_id": goods.get("id"),
        **key,
        "order_line_id": more.get("orderLineId"),
        "item_id": more.get("itemCode"),
        "quantity": goods.get("quantity") if quantity is None else quantity,
        "uom": more.get("uom"),
        "weight_kg": filled(more.get("weightKg")),
        "sscc": filled(more.get("sscc")),
    }


def _charge(charge: Entity, key: Fields) -> Fields:
    return {
        "charge_id": charge.get("id"),
        **key,
        "code": charge.get("code"),
        "amount": charge.get("amount"),
        "currency": charge.get("currency"),
        "evidence_action_id": filled(charge.get("evidenceActionId")),
    }


def _action(entity: Entity, reader: Reader) -> SourceRecord:
    key = {"action_id": entity.get("id")}
    more = more_of(entity)
    shipment = more.get("consignmentId") or named_by(entity.get("consignment"))

    def build() -> Fields:
        if _is_cyclic(entity.get("id"), reader.stops):
            raise Refused("CYCLE", f"{entity.get('id')!r} is nested in itself")
        times, result = reader.times(), entity.get("result") or {}
        fields = key | {
            "action_type": entity.get("actionType"),
            "lifecycle": entity.get("lifecycle"),
            "result_status": filled(result.get("status")),
            "result_reason": filled(result.get("reason")),
            "trip_id": filled(more.get("tripId")) or named_by(entity.get("trip")),
            "consignment_id": filled(shipment),
            "stop_id": filled(more.get("stopId")) or named_by(entity.get("stop")),
            "location_id": filled(more.get("locationId")) or named_by(entity.get("location")),
            "sequence_nr": entity.get("sequenceNr"),
            "start_at": times.iso(entity.get("startTime"), "startTime"),
            "end_at": times.iso(entity.get("endTime"), "endTime"),
            "planned_start_at": times.iso(more.get("plannedStart"), "plannedStart"),
            "planned_end_at": times.iso(more.get("plannedEnd"), "plannedEnd"),
            "free_time_s": more.get("freeTimeS"),
            "has_second_driver": bool(more.get("secondDriverId")),
        }
        return fields | {"time_quality": times.quality}

    return record("actions", entity, reader.changed_at(entity), build, key=key, shipment_ref=shipment)


def _is_cyclic(identity: object, parents: dict[Any, Any]) -> bool:
    seen, at = set(), parents.get(identity)
    while at is not None and at not in seen:
        if at == identity:
            return True
        seen.add(at)
        at = parents.get(at)
    return False


def _roles(actor: Entity) -> list[Any]:
    inner = inner_of(actor)
    return [
        *(actor.get("roles") or []),
        *(inner.get("roles") or []),
        *([actor["role"]] if "role" in actor else []),
    ]
