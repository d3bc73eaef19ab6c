"""Rows of what vendors send by webhook, from the bodies as they came.

Belongs here: which part of a vendor's body is which row. Onfleet's tasks are those of its list, so they are read by its
adapter. What says nothing about a delivery (a trigger of another kind, a test) becomes no row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ingestion.base import SourceRecord
from ingestion.events.parts import KindAndRecord
from ingestion.pod.onfleet import OnfleetAdapter
from ingestion.records import Fields, record
from ingestion.telematics.quality import Fixes, check_place
from ingestion.times import Refused, Times
from state.inbox import Message

_FINISHED = frozenset({3, 4})
"""Onfleet's triggers taskCompleted and taskFailed."""
_STOPS = {"RouteStopArrival": "actual", "RouteStopDeparture": "realized"}
_LOCATIONS = frozenset({"vehicle_location_updated", "vehicle_location_received"})


def onfleet(
    message: Message, body: Mapping[str, Any], open_onfleet: Callable[[], OnfleetAdapter]
) -> Iterator[KindAndRecord]:
    """The task's proof, lines and documents; SourceFailure when a document cannot be fetched now."""
    task = (body.get("data") or {}).get("task")
    if body.get("triggerId") in _FINISHED and isinstance(task, dict):
        for each in open_onfleet().records([task]):
            yield "pod", replace(each, trace_id=message.trace_id)


def samsara(message: Message, body: Mapping[str, Any]) -> Iterator[KindAndRecord]:
    """Where a route's stop stands, with all that is known of it; other events are kept in the inbox alone."""
    lifecycle = _STOPS.get(str(body.get("eventType")))
    if lifecycle is None:
        return
    told = body.get("data") or {}
    stop = told.get("routeStopDetails") or {}
    key = {"action_id": f"samsara|{stop.get('id')}" if stop.get("id") else None}

    def build() -> Fields:
        times = Times()
        return key | {
            "action_type": "stop",
            "lifecycle": lifecycle,
            "trip_id": (told.get("route") or {}).get("id"),
            "stop_id": stop.get("id"),
            "start_at": times.iso(stop.get("actualArrivalTime"), "actualArrivalTime"),
            "end_at": times.iso(stop.get("actualDepartureTime"), "actualDepartureTime"),
        }

    yield _row(message, "dispatch", "actions", body, told.get("time"), build, key)


def motive(message: Message, body: Mapping[str, Any]) -> Iterator[KindAndRecord]:
    """A vehicle's place. Its speed is left out: the body does not say in which unit it is."""
    if body.get("action") not in _LOCATIONS:
        return
    vehicle = body.get("vehicle_id")
    key: Fields = {
        "device_id": None if vehicle is None else str(vehicle),
        "positioned_at": body.get("located_at"),
    }

    def build() -> Fields:
        latitude, longitude = (None if body.get(n) is None else float(body[n]) for n in ("lat", "lon"))
        check_place(latitude, longitude)
        return Fixes().judged(
            key
            | {
                "positioned_at": Times().iso(body.get("located_at"), "located_at"),
                "received_at": message.received_at,
                "latitude": latitude,
                "longitude": longitude,
                "heading": None if body.get("bearing") is None else float(body["bearing"]),
            }
        )

    yield _row(message, "telematics", "positions", body, body.get("located_at"), build, key)


def easypost(message: Message, body: Mapping[str, Any]) -> Iterator[KindAndRecord]:
    """A tracker's details, each an event of the shipment that its tracking code names; trials are left alone."""
    tracker = body.get("result")
    if body.get("mode") != "production" or not isinstance(tracker, dict):
        return
    details = tracker.get("tracking_details")
    for told in details if isinstance(details, Sequence) else []:
        at, code = told.get("datetime"), tracker.get("tracking_code")
        key: Fields = {"event_id": f"{tracker.get('id')}|{at}|{told.get('status')}"}
        yield _row(message, "wms", "delivery_events", told, at, partial(_tracked, told, code, key), key)


def _tracked(told: Mapping[str, Any], code: object, key: Fields) -> Fields:
    return key | {
        "occurred_at": Times().iso(told.get("datetime"), "datetime"),
        "consignment_id": code,
        "disposition": told.get("status"),
        "reason_code": told.get("status_detail") or None,
    }


def _row(
    message: Message, kind: str, name: str, raw: object, at: object, build: Callable[[], Fields], key: Fields
) -> KindAndRecord:
    try:
        version = Times().iso(at, "time")
    except Refused:
        version = None  # the row's own fields say what is wrong with it
    made: SourceRecord = record(name, raw, version, build, key=key)
    return kind, replace(made, trace_id=message.trace_id)
