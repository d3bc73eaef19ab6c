"""Points of the stats feed: about a hundred per order, along each trip as it was really driven; and safety events."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from sandbox.world import routing
from sandbox.world.happenings import Harsh
from sandbox.world.model import Trip, World
from sandbox.world.moments import END, iso, visible
from sandbox.world.store import Body, Documents


def write(world: World, documents: Documents, wanted: int) -> None:
    """Evenly in time over all trips, so that about ``wanted`` points come out."""
    driven = sum((trip.back - trip.departed).total_seconds() for trip in world.trips)
    every = max(5, round(driven / max(1, wanted)))
    odometers: dict[str, float] = {}
    for trip in world.trips:
        _points(documents, trip, world.vehicles[trip.vehicle], every, odometers)
    for event in world.harsh:
        if event.told <= END:
            device, heard = world.vehicles[event.trip.vehicle], visible(event.told)
            documents.put("telematics", "safety", event.id, 1, heard, _safety(event, device, heard))


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
        begin = int(t0.timestamp())
        state = "On" if distance else "Idle"
        for passed in range(0, seconds, every):
            share = passed / seconds
            moment = datetime.fromtimestamp(begin + passed, UTC)
            if moment > END:
                break
            time = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
            heard = moment + timedelta(seconds=2)
            stamp = iso(visible(heard))
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
