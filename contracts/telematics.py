"""What a lorry's telematics unit reports."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from contracts.base import Contract, Flag, Id, Instant

PositionQuality = Literal["ok", "zero_island", "jump", "clock_ahead", "odometer_fell", "frozen", "late"]


class Position(Contract):
    """One fix. ``quality`` other than ok keeps it out of geofences and distances, never out of the table."""

    key: ClassVar[tuple[str, ...]] = ("device_id", "positioned_at")

    device_id: Id
    positioned_at: Instant
    received_at: Instant
    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)
    speed_kmh: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    heading: float | None = Field(default=None, ge=0, le=360, allow_inf_nan=False)
    odometer_km: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    ignition: Flag | None = None
    quality: PositionQuality = "ok"


class VehicleEvent(Contract):
    """Anything a unit reports that is not a plain fix: ignition, a stop, harsh braking, a measurement."""

    key: ClassVar[tuple[str, ...]] = ("device_id", "event_type", "occurred_at")

    device_id: Id
    event_type: Id
    occurred_at: Instant
    received_at: Instant | None = None
    latitude: float | None = Field(default=None, ge=-90, le=90, allow_inf_nan=False)
    longitude: float | None = Field(default=None, ge=-180, le=180, allow_inf_nan=False)
    speed_kmh: float | None = Field(default=None, ge=0, allow_inf_nan=False)
