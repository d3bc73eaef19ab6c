"""What the API answers: the models that its description shows, with an example each.

Belongs here: shapes. Where the values come from is the routes' part.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_AT, _LATER = "2026-11-13T10:15:00Z", "2026-11-13T10:15:34Z"
_BILLING = {
    "shipment_no": "SH-1001", "operation": "invoice", "state": "ACKED", "erp_id": "ACC-SINV-2026-00017",
    "posted_at": _LATER,
}  # fmt: skip
_REFUSAL = {
    "dead_letter_id": "dl_7a30", "reason": "PARENT_MISSING", "detail": "no shipment SH-1002 yet", "status": "parked",
}  # fmt: skip
_TAKEN_EVENT: dict[str, Any] = {
    "id": "e-1", "outcome": "accepted", "message_id": "msg_0b1c", "look": "/v1/messages/msg_0b1c", "dead_letter_id": None,
    "errors": [],
}  # fmt: skip
_STEP = {"at": _AT, "what": "delivered", "source": "dispatch or proof"}


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


def _like(example: dict[str, Any]) -> ConfigDict:
    """What a model's description shows as an answer."""
    return ConfigDict(json_schema_extra={"examples": [example]})


class Taken(_Answer):
    """The message is on disk; ``look`` is where to ask what becomes of it. A duplicate names the first of its id."""

    message_id: str = Field(examples=["msg_0b1c"])
    outcome: Literal["accepted", "duplicate"]
    look: str = Field(examples=["/v1/messages/msg_0b1c"])


class TakenEvent(_Answer):
    """What became of one event of a batch. ``errors`` where it was refused."""

    model_config = _like(_TAKEN_EVENT)

    id: str | None = Field(examples=["e-1"])
    outcome: Literal["accepted", "duplicate", "conflict", "refused"]
    message_id: str | None = None
    look: str | None = None
    dead_letter_id: str | None = None
    errors: tuple[dict[str, str], ...] = ()


class TakenBatch(_Answer):
    """What became of each event of a batch, in its order. The events that are good are kept whatever the others are."""

    model_config = _like({"events": [_TAKEN_EVENT]})

    events: tuple[TakenEvent, ...]


class UploadedDocument(_Answer):
    """A document that was sealed; a proof names it by ``document_id``, which is its SHA-256."""

    model_config = _like(
        {
            "document_id": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "pod_id": "P-1001",
            "kind": "photo",
            "mime_type": "image/jpeg",
            "size_bytes": 48213,
            "is_new": True,
        }
    )

    document_id: str
    pod_id: str
    kind: Literal["signature", "photo", "document"]
    mime_type: str
    size_bytes: int
    is_new: bool


class Refusal(_Answer):
    """A row of a message that was refused, or waits for its parent."""

    model_config = _like(_REFUSAL)

    dead_letter_id: str
    reason: str
    detail: str
    status: str


class Billing(_Answer):
    """Where the invoice or credit note of a shipment stands."""

    model_config = _like(_BILLING)

    shipment_no: str
    operation: str
    state: str
    erp_id: str | None
    posted_at: datetime | None


class Outcome(_Answer):
    """What became of a message: ``received`` until a worker has loaded it."""

    model_config = _like(
        {
            "message_id": "msg_0b1c",
            "kind": "proof_of_delivery",
            "trace_id": "trace_5e02",
            "received_at": _AT,
            "settled_at": _LATER,
            "status": "parked",
            "rows": {"rows_in": 3, "loaded": 2, "dead_lettered": 0, "duplicate": 0, "parked": 1},
            "shipments": ["SH-1001"],
            "refusals": [_REFUSAL],
            "billing": [_BILLING],
        }
    )

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

    model_config = _like(
        {
            "shipment_no": "SH-1001",
            "order_no": "SO-1001",
            "status": "completed",
            "carrier_id": "NORTH",
            "departed_at": "2026-11-13T06:05:00Z",
            "arrived_at": "2026-11-13T10:02:00Z",
            "delivered_at": _AT,
            "promised_at": "2026-11-13T12:00:00Z",
            "cancelled_at": None,
            "is_delivered": True,
            "is_on_time": True,
            "is_in_full": True,
            "pod_outcome": "succeeded",
            "gate_verdict": "released",
            "first_invoice_posted_at": _LATER,
            "as_of": "2026-11-13T17:00:00Z",
        }
    )

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

    model_config = _like(_STEP)

    at: datetime
    what: str
    source: str


class Trace(_Answer):
    """A shipment's way, oldest step first."""

    model_config = _like({"shipment_no": "SH-1001", "steps": [_STEP], "billing": [_BILLING]})

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


EXAMPLES: dict[str, Any] = {
    each.__name__: each.model_config["json_schema_extra"]
    for each in _Answer.__subclasses__()
    if "json_schema_extra" in each.model_config
}
"""Name of a model → the example in its schema."""
