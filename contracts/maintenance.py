"""What a workshop does to a vehicle."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from contracts.base import Contract, Id, Instant, Text


class MaintenanceOrder(Contract):
    """One order to a workshop; from ``started_at`` to ``ended_at`` the vehicle cannot work."""

    key: ClassVar[tuple[str, ...]] = ("maintenance_order_id",)

    maintenance_order_id: Id
    vehicle_id: Id
    kind: Text | None = None
    status: Literal["planned", "started", "completed", "cancelled"]
    started_at: Instant | None = None
    ended_at: Instant | None = None

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.started_at and self.ended_at and self.ended_at < self.started_at:
            raise ValueError(f"ended_at {self.ended_at} before started_at {self.started_at}")
        return self
