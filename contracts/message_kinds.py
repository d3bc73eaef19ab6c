"""The index of messages: the word that the inbox keeps with each, and the model that its body is.

Belongs here: nothing but the list. ``webhook:…`` bodies are the vendor's own.
"""

from __future__ import annotations

from typing import Literal

from contracts.cloud_events import CloudEvent
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

Vendor = Literal["onfleet", "samsara", "motive", "easypost", "standard"]

CAPABILITIES = (
    OrderRelease,
    RouteAssignment,
    ProofOfDeliveryMessage,
    FreightCost,
    ExceptionChange,
    CloudEvent,
)
WEBHOOKS = (OnfleetWebhook, SamsaraWebhook, MotiveWebhook, EasyPostWebhook, StandardWebhook)
MESSAGES = {model.kind: model for model in (*CAPABILITIES, *WEBHOOKS)}
"""Kind → the model of its body. An ``event`` of a batch is one message of its own, its body one CloudEvent."""
