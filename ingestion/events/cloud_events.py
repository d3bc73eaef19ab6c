"""Rows of CloudEvents: each event is a row of its own, named by its source and id, so that no event undoes another."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.cloud_events import (
    AnyEvent,
    ArrivalEvent,
    DeliveryFailedEvent,
    DepartureEvent,
    EtaEvent,
    GeofenceEvent,
    LoadCompletedEvent,
    MaintenanceAlertEvent,
    RouteDeviationEvent,
)
from ingestion.events.parts import KindAndRecord, row_of
from state.inbox import Message


def event(message: Message, body: AnyEvent) -> Iterator[KindAndRecord]:
    """The row that an event becomes."""
    name, at = f"{body.source}#{body.id}", body.time
    if isinstance(body, ArrivalEvent | DepartureEvent | LoadCompletedEvent | DeliveryFailedEvent):
        yield _action(message, body, name)
    elif isinstance(body, GeofenceEvent | RouteDeviationEvent):
        kind = body.type.removeprefix("waybill.").removesuffix(".v1").replace(".", "_")
        yield row_of(
            message, "telematics", "vehicle_events", body.data, at, event_type=kind, occurred_at=at,
            received_at=message.received_at,
        )  # fmt: skip
    elif isinstance(body, MaintenanceAlertEvent):
        yield row_of(
            message,
            "maintenance",
            "maintenance_orders",
            body.data,
            at,
            status="planned",
            kind=body.data.fault,
        )
    else:
        assert isinstance(body, EtaEvent)
        yield row_of(message, "tms", "eta_predictions", body.data, at, eta_id=name, issued_at=at)


def _action(
    message: Message,
    body: ArrivalEvent | DepartureEvent | LoadCompletedEvent | DeliveryFailedEvent,
    name: str,
) -> KindAndRecord:
    at = body.time
    if isinstance(body, ArrivalEvent):
        more: dict[str, object] = {"action_type": "stop", "lifecycle": "actual", "start_at": at}
    elif isinstance(body, DepartureEvent):
        more = {"action_type": "stop", "start_at": body.data.arrived_at, "end_at": at}
    elif isinstance(body, LoadCompletedEvent):
        more = {
            "action_type": "load",
            "start_at": body.data.started_at,
            "end_at": at,
            "result_status": "succeeded",
        }
    else:
        more = {
            "action_type": "handOver", "end_at": at, "result_status": "failed", "result_reason": body.data.reason,
        }  # fmt: skip
    return row_of(
        message,
        "dispatch",
        "actions",
        body.data,
        at,
        **({"lifecycle": "realized"} | more | {"action_id": name}),
    )
