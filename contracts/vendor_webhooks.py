"""What vendors send by webhook, in their own shapes: only the fields that say which message it is and what it is about.

Belongs here: the least that has to be readable to take a webhook in; everything else of its body is kept as it came and
read by the ingestion. ``message_id`` is equal for every delivery of one happening, so that a vendor's retry is a duplicate.
Shapes: Onfleet and Samsara as their references and SDKs document them, Motive's ``vehicle_location`` webhooks, EasyPost's
``Event``, and Standard Webhooks, whose ``data`` is a CloudEvent of ours or one of our capabilities' messages.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from contracts.base import Id, Instant, Whole
from contracts.message_base import Message


def _number_as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


VendorId = Annotated[
    Id,
    BeforeValidator(_number_as_text),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1, "maxLength": 140}, {"type": "integer"}]}),
]
"""An id that a vendor sends as a text or as a whole number."""


class VendorWebhook(Message):
    """A body in the vendor's own shape, which says itself which message it is."""

    @property
    @abstractmethod
    def message_id(self) -> str | None:
        """What tells it from the vendor's other messages; None when the vendor gave it no id."""


class OnfleetWebhook(VendorWebhook):
    """``taskCompleted``, ``taskFailed`` and other triggers: ``data.task`` is the task as their API would list it."""

    kind: ClassVar[str] = "webhook:onfleet"

    task_id: Id = Field(alias="taskId")
    trigger_id: Whole = Field(alias="triggerId")
    time: Whole
    """Epoch milliseconds."""
    action_context: dict[str, Any] | None = Field(default=None, alias="actionContext")
    data: dict[str, Any] | None = None

    @property
    def message_id(self) -> str:
        """A task may complete once, but other triggers repeat: the time tells them apart."""
        return f"{self.task_id}:{self.trigger_id}:{self.time}"


class SamsaraWebhook(VendorWebhook):
    """``RouteStopArrival``, ``RouteStopDeparture``, ``DocumentSubmitted``, geofence and alert events."""

    kind: ClassVar[str] = "webhook:samsara"

    event_id: Id = Field(alias="eventId")
    event_type: Id = Field(alias="eventType")
    event_time: str = Field(alias="eventTime")
    """Kept as it came: Samsara's own examples have times of 1970."""
    data: dict[str, Any] = Field(default_factory=dict)

    @property
    def message_id(self) -> str:
        """Samsara's own id of the event."""
        return self.event_id


class MotiveWebhook(VendorWebhook):
    """``vehicle_location_updated`` and ``vehicle_location_received``; other actions are kept and read as nothing."""

    kind: ClassVar[str] = "webhook:motive"

    action: Id
    id: VendorId | None = None
    vehicle_id: VendorId | None = None
    located_at: Instant | None = None

    @property
    def message_id(self) -> str | None:
        """Both actions may tell the same location. A trial call (``{"action": "test"}``) has no id."""
        return None if self.id is None else f"{self.action}:{self.id}"


class EasyPostWebhook(VendorWebhook):
    """``tracker.created`` and ``tracker.updated``; ``result`` is the tracker."""

    kind: ClassVar[str] = "webhook:easypost"

    id: Id
    description: Id
    mode: Literal["test", "production"]
    result: dict[str, Any] | None = None

    @property
    def message_id(self) -> str:
        """EasyPost's own id of the event."""
        return self.id


class StandardWebhook(Message):
    """A body after the Standard Webhooks specification. ``type`` is the type of one of our CloudEvents, with its ``data``
    here, or the kind of one of our messages."""

    kind: ClassVar[str] = "webhook:standard"

    type: Id
    timestamp: Instant
    data: dict[str, Any]
