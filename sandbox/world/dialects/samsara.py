"""Points of the stats feed: about a hundred per order, along each trip as it was really driven; and safety events."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sandbox.world import routing
from sandbox.world.happenings import Harsh
from sandbox.world.model import Trip, World
from sandbox.world.moments import END, iso, visible
from sandbox.world.store import Body, Documents

Spot = tuple[datetime, float, float]


def step_s(world: World, wanted: int) -> int:
    """Seconds from point to point, so that about ``wanted`` come out, evenly in time over all trips."""
    driven = sum((trip.back - trip.departed).total_seconds() for trip in world.trips)
    return max(5, round(driven / max(1, wanted)))


def told(trip: Trip, every: int) -> list[Spot]:
    """When the unit tells of the trip, to the second, and where it is then, as exactly as it is written."""
    found: list[Spot] = []
    for (t0, lat0, lon0), (t1, lat1, lon1) in itertools.pairwise(routing.driven(trip)):
        for moment, share in _ticks(t0, t1, every):
            lat, lon = lat0 + (lat1 - lat0) * share, lon0 + (lon1 - lon0) * share
            found.append((moment, round(lat, 6), round(lon, 6)))
    return found


def _ticks(begin: datetime, end: datetime, every: int) -> Iterator[tuple[datetime, float]]:
    """The seconds at which a unit tells between two moments, and which share of the time has passed."""
    seconds, first = int((end - begin).total_seconds()), int(begin.timestamp())
    for passed in range(0, seconds, every):
        moment = datetime.fromtimestamp(first + passed, UTC)
        if moment <= END:
            yield moment, passed / seconds


def heard(moment: datetime) -> datetime:
    """When the vendor shows a point of that moment."""
    return visible(moment + timedelta(seconds=2))


def write(world: World, documents: Documents, wanted: int) -> None:
    every = step_s(world, wanted)
    odometers: dict[str, float] = {}
    for trip in world.trips:
        _points(documents, trip, world.vehicles[trip.vehicle], every, odometers)
    for event in world.harsh:
        if event.told <= END:
            device, shown = world.vehicles[event.trip.vehicle], visible(event.told)
            documents.put("telematics", "safety", event.id, 1, shown, _safety(event, device, shown))


def _safety(event: Harsh, device: str, heard: datetime) -> Body:
    """An event of the safety stream; its links lead nowhere, as there is no inbox."""
    link = f"https://telematics.waybill.invalid/safety/{event.id}"
    body: Body = {
        "id": event.id,
        "asset": {"id": device, "name": event.trip.vehicle, "type": "vehicle"},
        "driver": {"id": event.trip.driver},
        "behaviorLabels": [{"label": event.label, "source": "automated"}],
        "contextLabels": [],
        "createdAtTime": iso(heard),
        "updatedAtTime": iso(heard),
        "startMs": iso(event.started),
        "endMs": iso(event.started + timedelta(seconds=4)),
        "eventState": "needsReview",
        "inboxEventUrl": link,
        "incidentReportUrl": f"{link}/report",
        "location": {
            "headingDegrees": 90,
            "latitude": round(event.lat, 6),
            "longitude": round(event.lon, 6),
        },
        "maxAccelerationGForce": event.g_force,
    }
    if event.speed_kmh:
        limits = {"maxSpeedKilometersPerHour": event.speed_kmh, "postedSpeedLimitKilometersPerHour": 50}
        body["speedingMetadata"] = limits
    return body


def _points(documents: Documents, trip: Trip, device: str, every: int, odometers: dict[str, float]) -> None:
    metres, rows = odometers.get(device, 120_000_000.0), documents.rows
    for (t0, lat0, lon0), (t1, lat1, lon1) in itertools.pairwise(routing.driven(trip)):
        seconds = int((t1 - t0).total_seconds())
        distance = routing.distance_km((lat0, lon0), (lat1, lon1))
        mph = distance / max(seconds, 1) * 3600 / 1.609344
        state = "On" if distance else "Idle"
        for moment, share in _ticks(t0, t1, every):
            time = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
            stamp = iso(heard(moment))
            body = (
                f'{{"deviceId":"{device}","gps":{{"time":"{time}","latitude":{lat0 + (lat1 - lat0) * share:.6f},'
                f'"longitude":{lon0 + (lon1 - lon0) * share:.6f},"headingDegrees":{90 if lon1 >= lon0 else 270},'
                f'"speedMilesPerHour":{mph:.1f},"receivedAtTime":"{stamp}"}},'
                f'"odometer":{{"time":"{time}","value":{metres + distance * share * 1000:.0f}}},'
                f'"engine":{{"time":"{time}","value":"{state}"}}}}'
            )
            rows.append(("telematics", "points", f"{device}|{time}", 1, stamp, stamp, body))
        metres += distance * 1000
    odometers[device] = metres
