"""A message has the fields of the rows it becomes, takes what is plain and refuses what is doubtful."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from contracts import carrier, cloud_events, crm, dispatch, erp, messages, pod, vendor_webhooks
from contracts.base import Contract
from contracts.cloud_events import CloudEvent, CloudEventBatch
from contracts.message_kinds import MESSAGES

ROWS: list[tuple[type[BaseModel], type[Contract], set[str]]] = [
    (messages.OrderRelease, erp.Order, {"lines", "changed_at"}),
    (messages.ReleasedLine, erp.OrderLine, set()),
    (messages.RouteAssignment, dispatch.Trip, {"consignments", "stops", "changed_at"}),
    (messages.AssignedConsignment, dispatch.Consignment, {"lines"}),
    (messages.AssignedLine, dispatch.ConsignmentLine, set()),
    (messages.AssignedStop, dispatch.Action, set()),
    (messages.ProofOfDeliveryMessage, pod.ProofOfDelivery, {"lines", "documents", "changed_at"}),
    (messages.HandedOver, pod.DeliveredLine, set()),
    (messages.FreightCost, carrier.FreightCharge, {"changed_at"}),
    (messages.ExceptionChange, crm.ExceptionEvent, set()),
]
COST = {
    "freight_charge_id": "F-1", "amount": "12.50", "currency": "EUR", "charged_at": "2026-11-13T10:00:00Z",
    "changed_at": "2026-11-13T10:00:00Z", "order_id": "SO-1",
}  # fmt: skip
EVENT = {
    "specversion": "1.0", "id": "e-1", "source": "/lorries", "time": "2026-11-13T10:00:00Z",
    "type": "waybill.stop.arrived.v1", "data": {"stop_id": "ST-1"},
}  # fmt: skip


@pytest.mark.parametrize(("message", "row", "beside"), ROWS, ids=lambda each: getattr(each, "__name__", ""))
def test_a_message_has_the_fields_of_its_rows(
    message: type[BaseModel], row: type[Contract], beside: set[str]
) -> None:
    assert set(message.model_fields) - beside <= set(row.model_fields)


@pytest.mark.parametrize("amount", ["12.50", "-0.01", "99999999999999.9999", "0"])
def test_a_text_is_an_amount(amount: str) -> None:
    assert messages.FreightCost.model_validate(COST | {"amount": amount}).amount == Decimal(amount)


@pytest.mark.parametrize(
    "amount", [12.5, 12, True, None, "1.234,56", "NaN", "Infinity", "1e309", "0.00001", "1" * 19, ""]
)
def test_what_is_no_amount_is_refused(amount: Any) -> None:
    with pytest.raises(ValidationError, match="amount"):
        messages.FreightCost.model_validate(COST | {"amount": amount})


def test_yen_have_no_cents() -> None:
    with pytest.raises(ValidationError, match="minor unit"):
        messages.FreightCost.model_validate(COST | {"currency": "JPY", "amount": "10.50"})
    assert (
        messages.FreightCost.model_validate(COST | {"currency": "JPY", "amount": "10.00"}).currency == "JPY"
    )


def test_a_field_that_nobody_agreed_on_refuses_nothing() -> None:
    assert messages.FreightCost.model_validate(COST | {"colour": "red"}).amount == Decimal("12.50")


@pytest.mark.parametrize(
    "change",
    [
        {"specversion": "0.3"}, {"id": ""}, {"source": "a b"}, {"time": "2026-11-13T10:00:00"},
        {"type": "waybill.stop.exploded.v1"}, {"data": {}}, {"datacontenttype": "text/plain"},
    ],
)  # fmt: skip
def test_an_event_that_is_none_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CloudEvent.model_validate(EVENT | change)


def test_an_event_is_read_by_its_type() -> None:
    assert isinstance(CloudEvent.model_validate(EVENT).root, cloud_events.ArrivalEvent)
    with pytest.raises(ValidationError, match="at least 1"):
        CloudEventBatch.model_validate([])


def test_a_redelivered_webhook_has_the_same_id() -> None:
    first = {"taskId": "t", "triggerId": 3, "time": 1_700_000_000_000, "data": {"task": {}}}
    again = vendor_webhooks.OnfleetWebhook.model_validate(first | {"extra": 1})
    assert vendor_webhooks.OnfleetWebhook.model_validate(first).message_id == again.message_id
    moved = vendor_webhooks.MotiveWebhook.model_validate({"action": "vehicle_location_updated", "id": 7})
    assert moved.message_id == "vehicle_location_updated:7"
    assert vendor_webhooks.MotiveWebhook.model_validate({"action": "test"}).message_id is None


def test_every_message_has_a_kind_of_its_own() -> None:
    assert len(MESSAGES) == 11
    assert {kind for kind in MESSAGES if not kind.startswith("webhook:")} == {
        "order_release", "route_assignment", "proof_of_delivery", "freight_cost", "exception", "event",
    }  # fmt: skip
