"""Faulty positions, on the first vehicle, at minutes of their own; none belongs to a shipment."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sandbox.world.moments import NOW
from sandbox.world.store import Documents

_REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"latitude": float("nan")}, "COORDINATES_INVALID"),
    ({"latitude": 453.5}, "COORDINATES_INVALID"),
    ({"time": "1970-01-01T00:00:00Z"}, "TIME_INVALID"),
    ({"time": "0001-01-01T00:00:00Z"}, "TIME_INVALID"),
)
_ACCEPTED: tuple[dict[str, Any], ...] = ({"latitude": 0.0, "longitude": 0.0}, {"speedMilesPerHour": 900.0})


def plant(documents: Documents, device: str) -> list[dict[str, Any]]:
    """Writes the points; returns the dead letters that are due."""
    letters = []
    kinds = [*_REFUSED, *((fields, None) for fields in _ACCEPTED)]
    for minute, (fields, reason) in enumerate(kinds, 1):
        moment = NOW - timedelta(hours=30, minutes=minute)
        time = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        gps = {
            "time": time,
            "latitude": 53.54,
            "longitude": 9.98,
            "headingDegrees": 90,
            "speedMilesPerHour": 0.0,
            "receivedAtTime": time,
            **fields,
        }
        documents.put(
            "telematics",
            "points",
            f"{device}|{time}|{minute}",
            1,
            moment,
            json.dumps({"deviceId": device, "gps": gps}),
        )
        if reason:
            letters.append(
                {
                    "connection": "sandbox_telematics",
                    "resource": "positions",
                    "source_id": None,
                    "reason": reason,
                }
            )
    return letters
