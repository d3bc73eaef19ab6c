"""From a message or a part of one to a row: what all kinds of messages do the same way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.base import Contract
from contracts.message_base import Part
from contracts.resources import resource
from ingestion.base import SourceRecord
from state.inbox import Message

KindAndRecord = tuple[str, SourceRecord]
"""A row with the kind of system whose raw tables it belongs to."""


def row_of(
    message: Message, kind: str, name: str, part: Part, version: datetime, /, **more: object
) -> KindAndRecord:
    """A row of ``raw_<kind>.<name>``: the fields that part and contract share, and ``more``."""
    contract: type[Contract] = resource(kind, name).contract
    fields: dict[str, Any] = {
        each: getattr(part, each) for each in contract.model_fields if each in type(part).model_fields
    }
    fields |= more
    return kind, SourceRecord(
        resource=name,
        raw={each: value for each, value in fields.items() if value is not None}
        | {"message": message.message_id},
        version=version,
        fields=fields,
        order_ref=_text(fields.get("order_id")),
        shipment_ref=_text(fields.get("consignment_id")),
        trace_id=message.trace_id,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
