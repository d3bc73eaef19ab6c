"""Faulty positions, on a vehicle of their own that makes no trip; each sits between two that are in order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.world.dialects import otm5
from sandbox.world.faults.outcomes import Outcomes
from sandbox.world.model import World
from sandbox.world.moments import NOW, START, iso
from sandbox.world.store import Body, Documents

POSITIONS = "sandbox_telematics.positions"
_VEHICLE, _DEVICE = "V-ZZ-01", "DEV-V-ZZ-01"
_BEGIN = NOW - timedelta(hours=30)
_STEP = timedelta(minutes=2)
_REFUSED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("latitude NaN", {"latitude": float("nan")}, "COORDINATES_INVALID"),
    ("latitude out of range", {"latitude": 453.5}, "COORDINATES_INVALID"),
    ("coordinates swapped", {"latitude": 153.03, "longitude": -27.47}, "COORDINATES_SWAPPED"),
    ("1970", {"time": "1970-01-01T00:00:00Z"}, "TIME_INVALID"),
    ("seconds read as milliseconds", {"time": "1970-01-21T15:43:41Z"}, "TIME_INVALID"),
    ("year 1", {"time": "0001-01-01T00:00:00Z"}, "TIME_INVALID"),
)
_KEPT: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("0, 0", {"latitude": 0.0, "longitude": 0.0}, "zero_island"),
    ("jump of a degree in two minutes", {"latitude": 54.6}, "jump"),
    ("odometer falls", {"metres": 1}, "odometer_fell"),
    ("speed at a place that stays the same", {"speedMilesPerHour": 31.0}, "frozen"),
)
_CLOCKS: tuple[tuple[str, timedelta, str | None, str | None], ...] = (
    ("clock ahead by a day", timedelta(days=1), "CLOCK_AHEAD", None),
    ("clock ahead by ten minutes", timedelta(minutes=10), None, "clock_ahead"),
    ("heard after forty days", -timedelta(days=40), None, "late"),
)


def plant(world: World, documents: Documents, outcomes: Outcomes) -> None:
    _vehicle(documents)
    heard = _BEGIN
    for fault, fields, reason in _REFUSED:
        heard += _STEP
        _put(documents, heard, **fields)
        outcomes.refused(POSITIONS, None, reason, fault)
    for fault, lead, refusal, flag in _CLOCKS:
        heard += _STEP
        _put(documents, heard, time=_text(heard + lead))
        if refusal:
            outcomes.refused(POSITIONS, None, refusal, fault)
        else:
            outcomes.kept(POSITIONS, None, "quality", flag, fault)
    for fault, fields, flag in _KEPT:
        heard += _STEP
        _put(documents, heard, metres=1000, speedMilesPerHour=fields.get("speedMilesPerHour", 0.0))
        heard += _STEP
        _put(documents, heard, **({"metres": 1000} | fields))
        outcomes.kept(POSITIONS, None, "quality", flag, fault)
    heard += _STEP
    _put(documents, heard)
    _put(documents, heard, mark="again")
    outcomes.repeated(POSITIONS, _DEVICE, "the same position twice")
    _put(documents, NOW - timedelta(hours=1), device="DEV-ZZ-YOUNG")
    outcomes.waits(POSITIONS, "DEV-ZZ-YOUNG", "unknown device, young")
    _put(documents, NOW - timedelta(hours=30), device="DEV-ZZ-OLD")
    outcomes.refused(POSITIONS, "DEV-ZZ-OLD", "UNKNOWN_PARENT", "unknown device, old")


def in_order() -> list[datetime]:
    """When the unit tells where it stands, and nothing is wrong with it: before each fault that is kept, and at last."""
    first = _BEGIN + (len(_REFUSED) + len(_CLOCKS) + 1) * _STEP
    return [first + 2 * number * _STEP for number in range(len(_KEPT) + 1)]


def kept() -> list[datetime]:
    """Of all that it tells and that is not refused, the unit's own times."""
    first = _BEGIN + (len(_REFUSED) + 1) * _STEP
    clocks = [
        first + number * _STEP + lead for number, (_, lead, refusal, _) in enumerate(_CLOCKS) if not refusal
    ]
    return [*clocks, *in_order(), *(moment + _STEP for moment in in_order()[:-1])]


def _vehicle(documents: Documents) -> None:
    body: Body = {
        "entityType": "vehicle",
        "id": otm5.uid(_VEHICLE),
        "name": _VEHICLE,
        "licensePlate": "WB-ZZ-01",
        "externalAttributes": {"deviceId": _DEVICE},
        "creationDate": iso(START),
        "lastModified": iso(START),
    }
    documents.stray("dispatch", "vehicles", otm5.uid(_VEHICLE), START, body)


def _put(
    documents: Documents,
    heard: datetime,
    device: str = _DEVICE,
    metres: int | None = None,
    mark: str = "",
    **fields: Any,
) -> None:
    gps = {
        "time": _text(heard),
        "latitude": 53.54,
        "longitude": 9.98,
        "headingDegrees": 90,
        "speedMilesPerHour": 0.0,
        "receivedAtTime": _text(heard),
        **fields,
    }
    body: Body = {"deviceId": device, "gps": gps}
    if metres is not None:
        body["odometer"] = {"time": gps["time"], "value": metres}
    documents.put("telematics", "points", f"{device}|{_text(heard)}{mark}", 1, heard, body)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
