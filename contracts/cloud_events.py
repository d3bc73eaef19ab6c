"""Events that partners send as CloudEvents 1.0, JSON format: the envelope, and what each type says in ``data``.

Belongs here: attributes and data, with the raw resource that each type becomes a row of. An event's id is unique with its
source (CloudEvents 1.0, 3.1.1), so both together are the id of the message.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, RootModel, model_validator

from contracts.base import Id, Text, Whole
from contracts.message_base import MOST_EVENTS, Message, Moment, Part

EVENT_TYPE, BATCH_TYPE = "application/cloudevents+json", "application/cloudevents-batch+json"


class _At(Part):
    """Where in the plan something happened; at least the shipment, the trip or the stop is named."""

    consignment_id: Id | None = None
    trip_id: Id | None = None
    stop_id: Id | None = None
    location_id: Id | None = None
    action_id: Id | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.consignment_id is None and self.trip_id is None and self.stop_id is None:
            raise ValueError("name the consignment_id, the trip_id or the stop_id that it is about")
        return self


class Arrival(_At):
    """A lorry arrived at a stop: ``dispatch.actions``, a ``stop`` with its start."""


class Departure(_At):
    """A lorry left a stop: ``dispatch.actions``, a ``stop`` with its end. ``arrived_at`` when the sender knows it."""

    arrived_at: Moment | None = None


class LoadCompleted(_At):
    """The load is on the lorry: ``dispatch.actions``, a realized ``load``."""

    started_at: Moment | None = None


class DeliveryFailed(_At):
    """Nothing was handed over: ``dispatch.actions``, a realized ``handOver`` that failed."""

    consignment_id: Id
    reason: Text


class Geofence(Part):
    """A unit crossed the border of a place: ``telematics.vehicle_events``."""

    device_id: Id
    location_id: Id
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)


class RouteDeviation(Part):
    """A unit left the way that was planned: ``telematics.vehicle_events``. ``distance_m`` is how far, in metres."""

    device_id: Id
    trip_id: Id | None = None
    distance_m: Whole | None = Field(default=None, ge=0)
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)


class MaintenanceAlert(Part):
    """A vehicle needs a workshop: ``maintenance.maintenance_orders``, planned, until an order says more."""

    maintenance_order_id: Id
    vehicle_id: Id
    fault: Text | None = None


class EtaUpdate(_At):
    """When somebody expects the arrival: ``tms.eta_predictions``."""

    issuer: Literal["telematics", "planner", "carrier"]
    eta_at: Moment


class _Event(Message):
    """The attributes of CloudEvents. ``time`` is when it happened; Waybill asks for it though CloudEvents does not."""

    kind: ClassVar[str] = "event"

    specversion: Literal["1.0"]
    id: Id
    source: Annotated[str, Field(strict=True, min_length=1, max_length=100, pattern=r"^[!-~]+$")]
    time: Moment
    subject: Id | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Text | None = None


class ArrivalEvent(_Event):
    """``waybill.stop.arrived.v1``."""

    type: Literal["waybill.stop.arrived.v1"]
    data: Arrival


class DepartureEvent(_Event):
    """``waybill.stop.departed.v1``."""

    type: Literal["waybill.stop.departed.v1"]
    data: Departure


class GeofenceEvent(_Event):
    """``waybill.geofence.entered.v1`` and ``waybill.geofence.left.v1``."""

    type: Literal["waybill.geofence.entered.v1", "waybill.geofence.left.v1"]
    data: Geofence


class RouteDeviationEvent(_Event):
    """``waybill.route.deviated.v1``."""

    type: Literal["waybill.route.deviated.v1"]
    data: RouteDeviation


class LoadCompletedEvent(_Event):
    """``waybill.load.completed.v1``."""

    type: Literal["waybill.load.completed.v1"]
    data: LoadCompleted


class DeliveryFailedEvent(_Event):
    """``waybill.delivery.failed.v1``."""

    type: Literal["waybill.delivery.failed.v1"]
    data: DeliveryFailed


class MaintenanceAlertEvent(_Event):
    """``waybill.vehicle.maintenance_alert.v1``."""

    type: Literal["waybill.vehicle.maintenance_alert.v1"]
    data: MaintenanceAlert


class EtaEvent(_Event):
    """``waybill.eta.updated.v1``; ``time`` is when it was foretold."""

    type: Literal["waybill.eta.updated.v1"]
    data: EtaUpdate


AnyEvent = Annotated[
    ArrivalEvent
    | DepartureEvent
    | GeofenceEvent
    | RouteDeviationEvent
    | LoadCompletedEvent
    | DeliveryFailedEvent
    | MaintenanceAlertEvent
    | EtaEvent,
    Field(discriminator="type"),
]


class CloudEvent(RootModel[AnyEvent]):
    """One event of a known type."""

    kind: ClassVar[str] = "event"
    version: ClassVar[str] = "v1"


class CloudEventBatch(RootModel[tuple[AnyEvent, ...]]):
    """Several events in one request; each is judged by itself."""

    root: tuple[AnyEvent, ...] = Field(min_length=1, max_length=MOST_EVENTS)
