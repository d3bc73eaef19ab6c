"""What a transport management system foretells."""

from __future__ import annotations

from typing import ClassVar, Literal

from contracts.base import Contract, Id, Instant


class EtaPrediction(Contract):
    """When somebody, at ``issued_at``, expected the arrival at a stop. Each prediction stays; a newer one does
    not replace it."""

    key: ClassVar[tuple[str, ...]] = ("eta_id",)

    eta_id: Id
    stop_id: Id | None = None
    trip_id: Id | None = None
    consignment_id: Id | None = None
    issuer: Literal["telematics", "planner", "carrier"]
    issued_at: Instant
    eta_at: Instant
