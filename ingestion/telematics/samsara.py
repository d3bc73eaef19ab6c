"""The Samsara stats feed: pages behind a cursor that the vendor keeps.

Belongs here: the feed and its fields. What a fix is worth is ``quality``. The feed's cursor is exact, so there is
no overlap; a window reads the feed again from its beginning, because it knows no times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.connections import Connection
from core.settings import Settings, secret
from ingestion.base import Page, SourceRecord, Stream, Window
from ingestion.http import HttpSource
from ingestion.records import Fields, is_inside, record
from ingestion.telematics.quality import Fixes, check_place
from ingestion.times import Refused, Times

PATH = "/fleet/vehicles/stats/feed"
TYPES = "gps,obdOdometerMeters,engineStates"
KMH_PER_MPH = 1.609344


class SamsaraAdapter:
    """Reads one fleet; needs the secret ``token``."""

    def __init__(self, _settings: Settings, connection: Connection, window: Window | None) -> None:
        token = secret(connection.secrets["token"]).get_secret_value()
        self._http = HttpSource(connection, f"Bearer {token}")
        self._window = window

    @property
    def source_clock(self) -> datetime | None:
        """The vendor's own time at its last answer."""
        return self._http.clock

    def streams(self) -> Sequence[Stream]:
        """One stream: positions."""
        return [Stream("positions", ("positions",))]

    def pages(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Everything behind the cursor, in the order in which the vendor received it."""
        after = None if self._window else cursor
        fixes = Fixes()
        while True:
            parameters: dict[str, str | int] = {"types": TYPES}
            if after:
                parameters["after"] = after
            document = self._http.get_json(PATH, parameters)
            records = [
                each
                for vehicle in self._http.rows(PATH, document, "data")
                for each in _positions(vehicle, fixes)
                if is_inside(each.version, self._window)
            ]
            pagination = document.get("pagination") or {}
            after = pagination.get("endCursor")
            yield Page(records, after)
            if pagination.get("hasNextPage") is not True:
                return

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _positions(vehicle: dict[str, Any], fixes: Fixes) -> Iterator[SourceRecord]:
    odometer = {each.get("time"): each.get("value") for each in vehicle.get("obdOdometerMeters") or []}
    engine = {each.get("time"): each.get("value") for each in vehicle.get("engineStates") or []}
    for gps in vehicle.get("gps") or []:
        yield _position(
            vehicle.get("id"), gps, odometer.get(gps.get("time")), engine.get(gps.get("time")), fixes
        )


def _position(device: Any, gps: dict[str, Any], metres: Any, engine: Any, fixes: Fixes) -> SourceRecord:
    key = {"device_id": device, "positioned_at": gps.get("time")}
    raw = {"id": device, "gps": gps, "odometer": metres, "engine": engine}
    received = _moment(gps.get("receivedAtTime")) or _moment(gps.get("time"))

    def build() -> Fields:
        at = Times().iso(gps.get("time"), "time")
        speed = _float(gps.get("speedMilesPerHour"))
        fields = {
            "device_id": device,
            "positioned_at": at,
            "received_at": received,
            "latitude": _float(gps.get("latitude")),
            "longitude": _float(gps.get("longitude")),
            "speed_kmh": None if speed is None else round(speed * KMH_PER_MPH, 3),
            "heading": _float(gps.get("headingDegrees")),
            "odometer_km": None if metres is None else float(metres) / 1000,
            "ignition": None if engine is None else engine in ("On", "Idle"),
        }
        check_place(fields["latitude"], fields["longitude"])
        return fixes.judged(fields) if at and received else fields

    return record("positions", raw, received, build, key=key)


def _moment(value: object) -> datetime | None:
    try:
        return Times().iso(value, "receivedAtTime")
    except Refused:
        return None


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, Decimal | int | float) else value
