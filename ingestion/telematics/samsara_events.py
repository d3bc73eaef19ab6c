"""Samsara's safety events: one row for each label of an event, as its newest version has them.

Belongs here: the fields of an event. The stream and its cursor are ``samsara``. A label that somebody takes off an
event in the vendor's inbox stays as it was told; a new one comes with the event's next version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from ingestion.base import SourceRecord
from ingestion.records import Fields, record
from ingestion.telematics.quality import check_place
from ingestion.times import Refused, Times


def safety_events(told: Mapping[str, Any]) -> Iterator[SourceRecord]:
    """The rows of one event; an event without a label is one row, which its contract refuses."""
    labels = told.get("behaviorLabels")
    for label in labels if isinstance(labels, list) and labels else [{}]:
        yield _row(told, label)


def _row(told: Mapping[str, Any], label: Any) -> SourceRecord:
    kind = label.get("label") if isinstance(label, Mapping) else label
    asset = told.get("asset")
    device = asset.get("id") if isinstance(asset, Mapping) else asset
    key = {"device_id": device, "event_type": kind, "occurred_at": told.get("startMs")}

    def build() -> Fields:
        times, place = Times(), told.get("location") or {}
        fields = key | {
            "occurred_at": times.iso(told.get("startMs"), "startMs"),
            "received_at": times.iso(told.get("createdAtTime"), "createdAtTime"),
            "latitude": _float(place.get("latitude")),
            "longitude": _float(place.get("longitude")),
            "speed_kmh": _float((told.get("speedingMetadata") or {}).get("maxSpeedKilometersPerHour")),
        }
        check_place(fields["latitude"], fields["longitude"])
        return fields

    return record("vehicle_events", told, version_of(told), build, key=key)


def version_of(told: Mapping[str, Any]) -> datetime | None:
    """When the vendor last changed the event; None where it does not say so readably."""
    try:
        return Times().iso(told.get("updatedAtTime"), "updatedAtTime")
    except Refused:
        return None


def _float(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal | int) and not isinstance(value, bool) else value
