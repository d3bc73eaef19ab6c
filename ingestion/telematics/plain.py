"""A vehicle's fixes taken at once when nothing about any of them is unusual: the fast way of most positions.

Belongs here: recognising that, exactly. Whatever is unusual (another type, a doubtful object, a place on no map,
a clock that is off, a jump, a falling odometer) makes the vehicle's fixes of this page go one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from ingestion.telematics.quality import (
    CLOCK_TOLERANCE,
    EARTH_KM,
    FASTEST_KMH,
    FROZEN_SPEED_KMH,
    LATE,
    SHORTEST_JUMP_KM,
    Fields,
)

Floats = npt.NDArray[np.float64]
_NUMBERS = frozenset({Decimal, int})
_NUMBERS_OR_NONE = _NUMBERS | {type(None)}
_TEXT_OR_NONE = frozenset({str, type(None)})
# Near a limit the exact rules of ``quality`` decide.
_NEAR = 0.99


class _UnusualError(Exception):
    """Something that the row-by-row rules have to look at."""


@dataclass(frozen=True)
class Fix:
    """The lists of one vehicle's fixes, one entry per fix, in the order in which they came."""

    gps: Sequence[Any]
    metres: Sequence[Any]
    engine: Sequence[Any]


def columns_of(fixes: Fix, kmh: Callable[[float], float], last: Fields | None) -> dict[str, list[Any]] | None:
    """The contract's columns except the device, None when a fix is unusual. ``last`` is the fix before these."""
    try:
        columns = _read(fixes, kmh)
        _check(columns, last)
    except (_UnusualError, ValueError, OverflowError):
        return None
    return columns


def _read(fixes: Fix, kmh: Callable[[float], float]) -> dict[str, list[Any]]:
    gps = fixes.gps
    if {*map(type, gps)} != {dict} or not {*map(type, fixes.engine)} <= _TEXT_OR_NONE:
        raise _UnusualError
    speed = _numbers([each.get("speedMilesPerHour") for each in gps], _NUMBERS_OR_NONE)
    metres = _numbers(fixes.metres, _NUMBERS_OR_NONE)
    return {
        "positioned_at": _instants([each.get("time") for each in gps]),
        "received_at": _instants([each.get("receivedAtTime") for each in gps]),
        "latitude": _numbers([each.get("latitude") for each in gps], _NUMBERS),
        "longitude": _numbers([each.get("longitude") for each in gps], _NUMBERS),
        "speed_kmh": [None if each is None else kmh(each) for each in speed],
        "heading": _numbers([each.get("headingDegrees") for each in gps], _NUMBERS_OR_NONE),
        "odometer_km": [None if each is None else each / 1000 for each in metres],
        "ignition": [None if each is None else each in ("On", "Idle") for each in fixes.engine],
        "quality": ["ok"] * len(gps),
    }


def _numbers(values: Sequence[Any], kinds: frozenset[type]) -> list[Any]:
    if not {*map(type, values)} <= kinds:
        raise _UnusualError
    return [None if each is None else float(each) for each in values]


def _instants(values: Sequence[Any]) -> list[datetime]:
    if {*map(type, values)} != {str}:
        raise _UnusualError
    moments = [datetime.fromisoformat(each) for each in values]
    if any(each.tzinfo is not UTC for each in moments):
        raise _UnusualError
    return moments


def _check(columns: dict[str, list[Any]], last: Fields | None) -> None:
    """Raise unless ``quality.Fixes`` would call every fix ok."""
    at, received = _seconds(columns["positioned_at"]), _seconds(columns["received_at"])
    latitude, longitude = _floats(columns["latitude"]), _floats(columns["longitude"])
    if not (np.isfinite(latitude).all() and np.isfinite(longitude).all()):
        raise _UnusualError
    is_odd = (np.abs(latitude) > 90) | (np.abs(longitude) > 180) | ((latitude == 0) & (longitude == 0))
    is_odd |= (at - received > CLOCK_TOLERANCE.total_seconds()) | (received - at > LATE.total_seconds())
    if is_odd.any() or _moves_oddly(columns, last):
        raise _UnusualError


def _moves_oddly(columns: dict[str, list[Any]], last: Fields | None) -> bool:
    """Whether a fix beside the one before it may be a jump, a falling odometer or a frozen position."""
    names = ("latitude", "longitude", "speed_kmh", "odometer_km")
    before = [] if last is None else [last]
    at = _seconds([each["positioned_at"] for each in before] + columns["positioned_at"])
    latitude, longitude, speed, odometer = (
        _floats([each[name] for each in before] + columns[name]) for name in names
    )
    is_later = np.diff(at) > 0
    distance = _distances_km(latitude, longitude)
    hours = np.maximum(np.diff(at), 1.0) / 3600
    is_jump = (distance > SHORTEST_JUMP_KM * _NEAR) & (distance / hours > FASTEST_KMH * _NEAR)
    # A comparison with an unknown value (NaN) is false, as the rules have it.
    has_fallen = np.diff(odometer) < 0
    is_fast = np.nan_to_num(speed) > FROZEN_SPEED_KMH
    is_frozen = (distance < 1e-6) & is_fast[1:] & is_fast[:-1]
    return bool((is_later & (is_jump | has_fallen | is_frozen)).any())


def _distances_km(latitude: Floats, longitude: Floats) -> Floats:
    a = np.radians(latitude)
    half = np.sin(np.diff(a) / 2) ** 2
    half += np.cos(a[:-1]) * np.cos(a[1:]) * np.sin(np.radians(np.diff(longitude)) / 2) ** 2
    distances: Floats = 2 * EARTH_KM * np.arcsin(np.minimum(1.0, np.sqrt(half)))
    return distances


def _seconds(moments: Sequence[datetime]) -> Floats:
    return np.array([each.timestamp() for each in moments], dtype=np.float64)


def _floats(values: Sequence[float | None]) -> Floats:
    return np.array(values, dtype=np.float64)
