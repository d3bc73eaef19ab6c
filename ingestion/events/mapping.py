"""Which rows a message becomes, by its kind; or why it becomes none.

A message is read strictly, also when the API has read it before: other ways into the inbox do not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from contracts.cloud_events import CloudEvent
from contracts.message_kinds import MESSAGES
from contracts.messages import (
    ExceptionChange,
    FreightCost,
    OrderRelease,
    ProofOfDeliveryMessage,
    RouteAssignment,
)
from contracts.vendor_webhooks import (
    EasyPostWebhook,
    MotiveWebhook,
    OnfleetWebhook,
    SamsaraWebhook,
    StandardWebhook,
)
from core.settings import Settings
from ingestion.base import Rejection
from ingestion.events import capabilities, webhooks
from ingestion.events.cloud_events import event
from ingestion.events.parts import KindAndRecord
from ingestion.pod.onfleet import OnfleetAdapter
from ingestion.strict_json import JsonRefused, fault_of, loads
from state.inbox import Message

_VENDORS: dict[type[BaseModel], Callable[[Message, Any], Iterator[KindAndRecord]]] = {
    SamsaraWebhook: webhooks.samsara,
    MotiveWebhook: webhooks.motive,
    EasyPostWebhook: webhooks.easypost,
}
_CAPABILITIES: dict[type[BaseModel], Callable[[Message, Any], Iterator[KindAndRecord]]] = {
    OrderRelease: capabilities.order_release,
    RouteAssignment: capabilities.route_assignment,
    FreightCost: capabilities.freight_cost,
    ExceptionChange: capabilities.exception_change,
}


class Mapper:
    """Reads messages of one partner; ``open_onfleet`` is asked only when one needs a document fetched."""

    def __init__(self, settings: Settings, open_onfleet: Callable[[], OnfleetAdapter]) -> None:
        self._settings, self._open_onfleet = settings, open_onfleet

    def rows(self, message: Message) -> list[KindAndRecord] | Rejection:
        """The rows of a message, or why it has none; SourceFailure when something has to be fetched and cannot now."""
        try:
            body = loads(message.body)
        except JsonRefused as refused:
            return Rejection("FIELD_INVALID", f"the body is not JSON that can be read safely: {refused}")
        if (fault := fault_of(body)) is not None:
            return Rejection("FIELD_INVALID", fault)
        model = MESSAGES.get(message.kind)
        if model is None:
            return Rejection("STATUS_UNKNOWN", f"nobody knows messages of the kind {message.kind!r}")
        try:
            return self._of(message, model.model_validate(_with_floats(message.body)), body)
        except ValidationError as error:
            return Rejection("FIELD_INVALID", _all_of(error))

    def _of(self, message: Message, told: BaseModel, body: Any) -> list[KindAndRecord] | Rejection:
        if isinstance(told, StandardWebhook):
            return self._of_standard(message, told, body)
        if isinstance(told, OnfleetWebhook):
            return list(webhooks.onfleet(message, body, self._open_onfleet))
        if isinstance(told, ProofOfDeliveryMessage):
            return list(capabilities.proof_of_delivery(self._settings, message, told))
        if isinstance(told, CloudEvent):
            return list(event(message, told.root))
        if type(told) in _VENDORS:
            return list(_VENDORS[type(told)](message, body))
        return list(_CAPABILITIES[type(told)](message, told))

    def _of_standard(
        self, message: Message, told: StandardWebhook, body: Any
    ) -> list[KindAndRecord] | Rejection:
        """Its data is one of our messages, or what one of our CloudEvents would carry."""
        model, data = MESSAGES.get(told.type), _with_floats(message.body)["data"]
        if model is not None and not told.type.startswith("webhook:"):
            return self._of(message, model.model_validate(data), body["data"])
        attributes = {
            "specversion": "1.0", "id": message.event_id, "source": message.partner, "type": told.type,
            "time": body["timestamp"], "data": data,
        }  # fmt: skip
        return self._of(message, CloudEvent.model_validate(attributes), attributes)


def _with_floats(body: bytes) -> Any:
    """The body with its numbers as floats, for our own messages to refuse where an amount is due as a text."""
    return json.loads(body)


def _all_of(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}"
        for each in error.errors(include_url=False, include_input=False)
    )[:2000]
