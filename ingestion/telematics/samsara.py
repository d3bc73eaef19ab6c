"""Samsara's stats feed and its stream of safety events: pages behind a cursor that the vendor keeps.

Belongs here: feed and stream, and the fields of a fix. What a fix is worth is ``quality``, the fields of an event are
``samsara_events``. The cursors are exact, so there is no overlap; a window reads the feed again from its beginning,
because it knows no times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from contracts.arrow import schema_of
from contracts.telematics import Position
from core.connections import Connection
from core.settings import Settings, secret
from ingestion.base import Columns, Page, SourceRecord, Stream, Window
from ingestion.http import HttpSource
from ingestion.records import Fields, is_inside, record
from ingestion.telematics.plain import Fix, columns_of
from ingestion.telematics.quality import Fixes, check_place
from ingestion.telematics.samsara_events import safety_events
from ingestion.times import Refused, Times

PATH = "/fleet/vehicles/stats/feed"
TYPES = "gps,obdOdometerMeters,engineStates"
KMH_PER_MPH = 1.609344
EVENTS = "/safety-events/stream"
SINCE = "2015-01-01T00:00:00Z"
"""The stream wants a beginning: the year in which the vendor began."""


class SamsaraAdapter:
    """Reads one fleet; needs the secret ``token``, which may read vehicle statistics and safety events."""

    def __init__(self, _settings: Settings, connection: Connection, window: Window | None) -> None:
        token = secret(connection.secret_named("token")).get_secret_value()
        self._http = HttpSource(connection, f"Bearer {token}")
        self._window = window

    @property
    def source_clock(self) -> datetime | None:
        """The vendor's own time at its last answer."""
        return self._http.clock

    def streams(self) -> Sequence[Stream]:
        """Positions, and what the units noticed of the driving."""
        return [Stream("positions", ("positions",)), Stream("vehicle_events", ("vehicle_events",))]

    def pages(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Everything behind the cursor, in the order in which the vendor received it."""
        after = None if self._window else cursor
        return self._events(after) if stream.name == "vehicle_events" else self._positions(after)

    def _events(self, after: str | None) -> Iterator[Page]:
        """Events by their last change, so that a label that comes later is read too."""
        begin, end = self._window or (None, None)
        asked: dict[str, str | int] = {
            "startTime": begin.isoformat() if begin else SINCE,
            "queryByTimeField": "updatedAtTime",
            "includeAsset": "true",
        }
        if end:
            asked["endTime"] = end.isoformat()
        while True:
            document = self._http.get_json(EVENTS, asked | ({"after": after} if after else {}))
            events = self._http.rows(EVENTS, document, "data")
            pagination = document.get("pagination") or {}
            after = pagination.get("endCursor") or after
            records = [row for told in events for row in safety_events(told)]
            yield Page([row for row in records if is_inside(row.version, self._window)], after)
            if pagination.get("hasNextPage") is not True:
                return

    def _positions(self, after: str | None) -> Iterator[Page]:
        fixes = Fixes()
        while True:
            parameters: dict[str, str | int] = {"types": TYPES}
            if after:
                parameters["after"] = after
            document = self._http.get_json(PATH, parameters)
            vehicles = _by_device(self._http.rows(PATH, document, "data"))
            pagination = document.get("pagination") or {}
            after = pagination.get("endCursor")
            yield self._page(vehicles, fixes, after)
            if pagination.get("hasNextPage") is not True:
                return

    def _page(self, vehicles: Iterable[_Vehicle], fixes: Fixes, after: str | None) -> Page:
        records: list[SourceRecord] = []
        plain: list[tuple[_Vehicle, dict[str, list[Any]]]] = []
        for vehicle in vehicles:
            columns = vehicle.columns(fixes) if self._window is None else None
            if columns is None:
                records.extend(
                    each for each in vehicle.records(fixes) if is_inside(each.version, self._window)
                )
            else:
                plain.append((vehicle, columns))
        return Page(records, after, [_joined(plain)] if plain else [])

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class _Vehicle:
    """What one page tells of one device."""

    def __init__(self, device: Any) -> None:
        self.device = device
        self._gps: list[Any] = []
        self._metres: list[Any] = []
        self._engine: list[Any] = []

    def add(self, told: Mapping[str, Any]) -> None:
        """One entry of the page; the feed repeats a device when it likes."""
        odometer = {each.get("time"): each.get("value") for each in told.get("obdOdometerMeters") or []}
        engine = {each.get("time"): each.get("value") for each in told.get("engineStates") or []}
        fixes = told.get("gps") or []
        self._gps += fixes
        self._metres += [odometer.get(each.get("time")) for each in fixes]
        self._engine += [engine.get(each.get("time")) for each in fixes]

    def columns(self, fixes: Fixes) -> dict[str, list[Any]] | None:
        """All positions as columns, when each of them is plainly good; they count as judged then."""
        if type(self.device) is not str or not self._gps:
            return None
        found = columns_of(Fix(self._gps, self._metres, self._engine), _kmh, fixes.last(self.device))
        if found is not None:
            fixes.keep({name: values[-1] for name, values in found.items()} | {"device_id": self.device})
        return found

    def raws(self) -> list[dict[str, Any]]:
        """Each position as the feed told it."""
        told = zip(self._gps, self._metres, self._engine, strict=True)
        return [{"id": self.device, "gps": gps, "odometer": m, "engine": e} for gps, m, e in told]

    def records(self, fixes: Fixes) -> Iterator[SourceRecord]:
        """The positions one by one."""
        for gps, metres, engine in zip(self._gps, self._metres, self._engine, strict=True):
            yield _position(self.device, gps, metres, engine, fixes)


def _by_device(rows: list[Any]) -> list[_Vehicle]:
    vehicles: dict[Any, _Vehicle] = {}
    for told in rows:
        device = told.get("id")
        vehicles.setdefault(repr(device), _Vehicle(device)).add(told)
    return list(vehicles.values())


def _joined(plain: list[tuple[_Vehicle, dict[str, list[Any]]]]) -> Columns:
    """The vehicles' columns under each other."""
    schema = schema_of(Position)
    values: dict[str, list[Any]] = {each.name: [] for each in schema}
    for vehicle, columns in plain:
        values["device_id"] += [vehicle.device] * len(columns["quality"])
        for name, column in columns.items():
            values[name] += column
    table = pa.Table.from_pydict(values, schema=schema)
    return Columns(
        "positions", table, values["received_at"], [raw for each, _ in plain for raw in each.raws()]
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
            "speed_kmh": None if speed is None else _kmh(speed),
            "heading": _float(gps.get("headingDegrees")),
            "odometer_km": None if metres is None else float(metres) / 1000,
            "ignition": None if engine is None else engine in ("On", "Idle"),
        }
        check_place(fields["latitude"], fields["longitude"])
        return fixes.judged(fields) if at and received else fields

    return record("positions", raw, received, build, key=key)


def _kmh(mph: float) -> float:
    return round(mph * KMH_PER_MPH, 3)


def _moment(value: object) -> datetime | None:
    try:
        return Times().iso(value, "receivedAtTime")
    except Refused:
        return None


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, Decimal | int | float) else value
