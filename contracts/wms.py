"""What a warehouse or a carrier's hub saw happen to goods, as EPCIS 2.0 events."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from contracts.base import Contract, Id, Instant, Text

EpcisEventType = Literal[
    "ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"
]


class DeliveryEvent(Contract):
    """One event. One that was wrong is sent again under its own id with ``error_declared_at``, and names in
    ``corrective_event_ids`` (space separated) the events that stand in its place. ``tz_offset`` is what clocks
    showed there, ``status_code`` a code of UN/ECE Rec 24."""

    key: ClassVar[tuple[str, ...]] = ("event_id",)

    event_id: Id
    event_type: EpcisEventType = "ObjectEvent"
    action: Literal["ADD", "OBSERVE", "DELETE"] | None = None
    biz_step: Text | None = None
    disposition: Text | None = None
    occurred_at: Instant
    tz_offset: str | None = Field(default=None, pattern=r"^[+-]\d{2}:\d{2}$")
    recorded_at: Instant | None = None
    consignment_id: Id | None = None
    location_id: Id | None = None
    status_code: Id | None = None
    reason_code: Id | None = None
    error_declared_at: Instant | None = None
    error_reason: Text | None = None
    corrective_event_ids: Text | None = None
