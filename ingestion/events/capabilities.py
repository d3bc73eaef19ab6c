"""Rows of the messages of the API's capabilities, apart from events."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.messages import (
    ExceptionChange,
    FreightCost,
    OrderRelease,
    ProofDocument,
    ProofOfDeliveryMessage,
    RouteAssignment,
)
from core.settings import Settings
from ingestion.events.parts import KindAndRecord, row_of
from state.inbox import Message
from state.vault import mime_type, path_of

_LONGEST_MAGIC = 16


def order_release(message: Message, body: OrderRelease) -> Iterator[KindAndRecord]:
    """An order and its lines."""
    yield row_of(message, "erp", "orders", body, body.changed_at)
    for line in body.lines:
        yield row_of(message, "erp", "order_lines", line, body.changed_at, order_id=body.order_id)


def route_assignment(message: Message, body: RouteAssignment) -> Iterator[KindAndRecord]:
    """A trip, what is on it, and where it is to go."""
    at, trip = body.changed_at, body.trip_id
    yield row_of(message, "dispatch", "trips", body, at)
    for consignment in body.consignments:
        yield row_of(message, "dispatch", "consignments", consignment, at)
        for line in consignment.lines:
            yield row_of(
                message, "dispatch", "consignment_lines", line, at, consignment_id=consignment.consignment_id
            )
    for stop in body.stops:
        yield row_of(message, "dispatch", "actions", stop, at, trip_id=trip, lifecycle="planned")


def proof_of_delivery(
    settings: Settings, message: Message, body: ProofOfDeliveryMessage
) -> Iterator[KindAndRecord]:
    """A proof, what was handed over, and the documents that were uploaded before."""
    at = body.changed_at
    yield row_of(
        message,
        "pod",
        "proofs",
        body,
        at,
        received_at=message.received_at,
        has_line_quantities=bool(body.lines),
    )
    for line in body.lines:
        yield row_of(message, "pod", "delivered_lines", line, at, pod_id=body.pod_id)
    for document in body.documents:
        yield _evidence(settings, message, body, document)


def freight_cost(message: Message, body: FreightCost) -> Iterator[KindAndRecord]:
    """What a carrier asks for."""
    yield row_of(message, "carrier", "freight_charges", body, body.changed_at)


def exception_change(message: Message, body: ExceptionChange) -> Iterator[KindAndRecord]:
    """One turn of a case; an event does not change, so its own instant is its version."""
    yield row_of(message, "crm", "exception_events", body, body.occurred_at)


def _evidence(
    settings: Settings, message: Message, body: ProofOfDeliveryMessage, document: ProofDocument
) -> KindAndRecord:
    digest, path = document.document_id, path_of(settings, document.document_id)
    fields: dict[str, object] = {"status": "missing", "reason": "no document of this id was uploaded"}
    if path.exists():
        with path.open("rb") as file:
            kind = mime_type(file.read(_LONGEST_MAGIC))
        fields = {"status": "sealed", "sha256": digest, "mime_type": kind, "size_bytes": path.stat().st_size}
    return row_of(
        message, "pod", "evidence", document, body.changed_at, evidence_id=f"{body.pod_id}|{digest}",
        pod_id=body.pod_id, declared_sha256=digest, fetched_at=message.received_at, **fields,
    )  # fmt: skip
