"""The contracts as documents for others: a JSON Schema for each message, and an AsyncAPI description of what arrives.

Belongs here: making them from the models. ``waybill docs contracts`` writes them beside the models; a test holds them equal.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from contracts import cloud_events
from contracts.examples import EXAMPLES
from contracts.message_base import Message
from contracts.message_kinds import CAPABILITIES, MESSAGES, WEBHOOKS

ASYNCAPI = "3.0.0"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/components/schemas/{model}"
_BATCH = "event_batch"
_TYPES = {_BATCH: cloud_events.BATCH_TYPE}
_ADDRESSES = {
    "order_release": "/v1/order-releases",
    "route_assignment": "/v1/route-assignments",
    "proof_of_delivery": "/v1/proofs-of-delivery",
    "freight_cost": "/v1/freight-costs",
    "exception": "/v1/exceptions",
    "event": "/v1/events",
}


def file_name(kind: str, version: str) -> str:
    """Where the schema of a message stands, below ``contracts/schemas``."""
    return f"{version}/{kind.replace(':', '_')}.json"


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a message as it is taken in."""
    return {"$schema": _DIALECT} | model.model_json_schema(mode="validation")


def schemas() -> dict[str, dict[str, Any]]:
    """File name → JSON Schema, for every message."""
    return {file_name(kind, model.version): schema_of(model) for kind, model in MESSAGES.items()}


def asyncapi(version: str) -> dict[str, Any]:
    """What arrives, by channel: each capability, each type of event, each vendor's webhook."""
    channels = {kind: _channel(address, [kind]) for kind, address in _ADDRESSES.items() if kind != "event"}
    types = _events()
    channels["event"] = _channel(_ADDRESSES["event"], list(types))
    # A batch is one body of several; MQTT carries the same, one message or a list of them.
    channels["event_batch"] = _channel("/v1/events/batch", [_BATCH])
    channels["mqtt"] = _channel("waybill/{partner}/events", [*types, _BATCH], "mqtt") | {
        "parameters": {"partner": {"description": "The connection's name, which is the broker's user too."}}
    }
    webhooks = [model.kind.replace(":", "_") for model in WEBHOOKS]
    channels["webhook"] = _channel("/v1/webhooks/{vendor}/{partner}", webhooks) | {
        "parameters": {
            "vendor": {"enum": [kind.partition(":")[2] for kind in (model.kind for model in WEBHOOKS)]},
            "partner": {"description": "The connection's name."},
        }
    }
    models: dict[str, type[BaseModel]] = {
        **{model.kind.replace(":", "_"): model for model in (*CAPABILITIES, *WEBHOOKS)},
        **types,
        _BATCH: cloud_events.CloudEventBatch,
    }
    models.pop("event")
    _, found = models_json_schema([(each, "validation") for each in set(models.values())], ref_template=_REF)
    return {
        "asyncapi": ASYNCAPI,
        "info": {"title": "Waybill: what partners and vendors send", "version": version, "license": {"name": "Apache-2.0"}},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": {
            name: {"action": "receive", "channel": {"$ref": f"#/channels/{name}"}}
            | ({"bindings": {"mqtt": {"qos": 1, "bindingVersion": "0.2.0"}}} if name == "mqtt" else {})
            for name in channels
        },
        "components": {
            "messages": {name: _message(name, model) for name, model in models.items()},
            "schemas": dict(sorted(found["$defs"].items())),
        },
    }  # fmt: skip


def _channel(address: str, messages: list[str], protocol: Literal["http", "mqtt"] = "http") -> dict[str, Any]:
    return {
        "address": address,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        # Of a channel MQTT has nothing to say; of an operation it has.
        "bindings": {protocol: {"bindingVersion": "0.3.0"} if protocol == "http" else {}},
    }


def _events() -> dict[str, type[Message]]:
    """Each type of event by its name."""
    found: dict[str, type[Message]] = {}
    for model in vars(cloud_events).values():
        if isinstance(model, type) and issubclass(model, Message) and "type" in model.model_fields:
            found |= dict.fromkeys(get_args(model.model_fields["type"].annotation), model)
    return found


def _message(name: str, model: type[BaseModel]) -> dict[str, Any]:
    is_event = name.startswith("waybill.")
    told = {
        "name": name,
        "title": model.__name__,
        "summary": (model.__doc__ or "").split("\n")[0],
        "contentType": _TYPES.get(name, cloud_events.EVENT_TYPE if is_event else "application/json"),
        "payload": {"$ref": _REF.format(model=model.__name__)},
    }
    return told if is_event else told | {"examples": [{"payload": EXAMPLES[model.__name__]}]}
