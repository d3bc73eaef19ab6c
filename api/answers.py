"""What the API answers: the models that its description shows, with an example each.

Belongs here: shapes. Where the values come from is the routes' part.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Taken(_Answer):
    """The message is on disk; ``look`` is where to ask what becomes of it. A duplicate names the first of its id."""

    message_id: str = Field(examples=["msg_0b1c"])
    outcome: Literal["accepted", "duplicate"]
    look: str = Field(examples=["/v1/messages/msg_0b1c"])


class TakenEvent(_Answer):
    """What became of one event of a batch. ``errors`` where it was refused."""

    id: str | None = Field(examples=["e-1"])
    outcome: Literal["accepted", "duplicate", "conflict", "refused"]
    message_id: str | None = None
    look: str | None = None
    dead_letter_id: str | None = None
    errors: tuple[dict[str, str], ...] = ()


class TakenBatch(_Answer):
    """What became of each event of a batch, in its order. The events that are good are kept whatever the others are."""

    events: tuple[TakenEvent, ...]


class UploadedDocument(_Answer):
    """A document that was sealed; a proof names it by ``document_id``, which is its SHA-256."""

    document_id: str
    pod_id: str
    kind: Literal["signature", "photo", "document"]
    mime_type: str
    size_bytes: int
    is_new: bool


class Refusal(_Answer):
    """A row of a message that was refused, or waits for its parent."""

    dead_letter_id: str
    reason: str
    detail: str
    status: str


class Billing(_Answer):
    """Where the invoice or credit note of a shipment stands."""

    shipment_no: str
    operation: str
    state: str
    erp_id: str | None
    posted_at: datetime | None


class Outcome(_Answer):
    """What became of a message: ``received`` until a worker has loaded it."""

    message_id: str
    kind: str
    trace_id: str
    received_at: datetime
    settled_at: datetime | None
    status: Literal["received", "loaded", "duplicate", "parked", "dead-lettered"]
    rows: dict[str, int]
    shipments: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    billing: tuple[Billing, ...]


class ShipmentStatus(_Answer):
    """Where a shipment stands, as it was published last (``as_of``)."""

    shipment_no: str
    order_no: str | None
    status: str | None
    carrier_id: str | None
    departed_at: datetime | None
    arrived_at: datetime | None
    delivered_at: datetime | None
    promised_at: datetime | None
    cancelled_at: datetime | None
    is_delivered: bool | None
    is_on_time: bool | None
    is_in_full: bool | None
    pod_outcome: str | None
    gate_verdict: str | None
    first_invoice_posted_at: datetime | None
    as_of: datetime


class Step(_Answer):
    """One thing that happened to a shipment; ``source`` is where that is known from."""

    at: datetime
    what: str
    source: str


class Trace(_Answer):
    """A shipment's way, oldest step first."""

    shipment_no: str
    steps: tuple[Step, ...]
    billing: tuple[Billing, ...]


class ProblemDocument(_Answer):
    """RFC 9457, with a ``remedy``."""

    type: str = "about:blank"
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["The id came before with another body."])
    remedy: str = Field(examples=["Send it under an id of its own."])
    errors: tuple[dict[str, str], ...] | None = None
    dead_letter_id: str | None = None
    message_id: str | None = None
    events: tuple[TakenEvent, ...] | None = None
