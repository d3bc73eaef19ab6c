"""Each capability takes its message in, answers after it is on disk, and tells what became of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.cloud_events import BATCH_TYPE, EVENT_TYPE
from contracts.examples import EXAMPLES
from state import inbox
from state.inbox import Settled
from tests.support.api_world import World, cost, event, proof, publish

ROUTES = {
    "/v1/order-releases": ("erp_house", "order_release", EXAMPLES["OrderRelease"]),
    "/v1/route-assignments": ("dispatch_house", "route_assignment", EXAMPLES["RouteAssignment"]),
    "/v1/proofs-of-delivery": ("pod_app", "proof_of_delivery", proof()),
    "/v1/freight-costs": ("carrier_north", "freight_cost", cost()),
    "/v1/exceptions": ("pod_app", "exception", EXAMPLES["ExceptionChange"] | {"consignment_id": "SH-1"}),
}


def kept(world: World, message_id: str) -> inbox.Message:
    (found,) = [each for each in world.waiting() if each.message_id == message_id]
    return found


@pytest.mark.parametrize("path", ROUTES)
def test_a_message_is_kept_as_it_came(world: World, path: str) -> None:
    partner, kind, body = ROUTES[path]
    answer = world.post(path, partner, body)
    assert answer.status_code == 202, answer.text
    message = kept(world, answer.json()["message_id"])
    assert (message.partner, message.kind, message.channel) == (partner, kind, "api")
    assert message.body == answer.request.content
    assert answer.headers["location"] == answer.json()["look"]


@pytest.mark.parametrize(
    ("path", "body", "type_", "status", "as_"),
    [
        ("/v1/freight-costs", cost(), "application/json; charset=utf-8", 202, "application/json"),
        ("/v1/freight-costs", cost(), "text/plain", 415, None),
        ("/v1/freight-costs", cost(), EVENT_TYPE, 415, None),
        ("/v1/proofs-of-delivery", proof(), "application/x-www-form-urlencoded", 415, None),
        ("/v1/events", event(), EVENT_TYPE, 202, EVENT_TYPE),
        ("/v1/events", event(), "application/json", 202, EVENT_TYPE),
        ("/v1/events", event(), BATCH_TYPE, 415, None),
        ("/v1/events/batch", [event()], BATCH_TYPE, 202, EVENT_TYPE),
        ("/v1/events/batch", [event()], "application/JSON", 202, EVENT_TYPE),
        ("/v1/events/batch", [event()], EVENT_TYPE, 415, None),
    ],
)
def test_a_body_is_taken_as_what_it_says_to_be(
    world: World, path: str, body: Any, type_: str, status: int, as_: str | None
) -> None:
    before = {each.message_id for each in world.waiting()}
    sent = world.post(path, "erp_house", json.dumps(body).encode(), Content_Type=type_)
    assert sent.status_code == status, sent.text
    fresh = [each for each in world.waiting() if each.message_id not in before]
    assert [each.content_type for each in fresh] == ([as_] if as_ else [])


def test_what_became_of_it_is_asked_for_where_the_answer_says(world: World) -> None:
    taken = world.post("/v1/proofs-of-delivery", "pod_app", proof()).json()
    asked = world.client.get(taken["look"], headers=world.key("pod_app"))
    assert asked.json()["status"] == "received"
    message = kept(world, taken["message_id"])
    settled = Settled(message.message_no, 2, 2, 0, 0, 0, ("SH-1",))
    inbox.settle(world.engine, "run", [settled], message.received_at)
    told = world.client.get(taken["look"], headers=world.key("pod_app")).json()
    assert (told["status"], told["shipments"]) == ("loaded", ["SH-1"])


def test_nobody_else_learns_what_became_of_it(world: World) -> None:
    taken = world.post("/v1/freight-costs", "carrier_north", cost()).json()
    assert world.client.get(taken["look"], headers=world.key("carrier_south")).status_code == 404


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("waybill.stop.arrived.v1", {"consignment_id": "SH-1"}),
        ("waybill.stop.departed.v1", {"trip_id": "T-SH-1"}),
        ("waybill.geofence.entered.v1", {"device_id": "D-1", "location_id": "L-1"}),
        ("waybill.geofence.left.v1", {"device_id": "D-1", "location_id": "L-1"}),
        ("waybill.route.deviated.v1", {"device_id": "D-1", "distance_m": 900}),
        ("waybill.load.completed.v1", {"consignment_id": "SH-1"}),
        ("waybill.delivery.failed.v1", {"consignment_id": "SH-1", "reason": "closed"}),
        ("waybill.vehicle.maintenance_alert.v1", {"maintenance_order_id": "M-1", "vehicle_id": "V-1"}),
        ("waybill.eta.updated.v1", {"stop_id": "ST-SH-1", "issuer": "planner", "eta_at": "2026-11-13T12:00:00Z"}),
    ],
)  # fmt: skip
def test_every_event_is_taken_in(world: World, kind: str, data: dict[str, Any]) -> None:
    sent = world.post("/v1/events", "dispatch_house", event(kind, data))
    assert sent.status_code == 202, sent.text


def test_a_batch_is_answered_event_by_event(world: World) -> None:
    first = event()
    bad = event() | {"type": "waybill.unheard.of"}
    sent = world.post("/v1/events/batch", "dispatch_house", [first, bad, first, first | {"subject": "other"}])
    assert sent.status_code == 202
    assert [each["outcome"] for each in sent.json()["events"]] == [
        "accepted",
        "refused",
        "duplicate",
        "conflict",
    ]
    assert sent.json()["events"][1]["errors"][0]["expected"]
    again = world.post("/v1/events/batch", "dispatch_house", [bad])
    assert again.status_code == 422
    assert again.json()["events"][0]["dead_letter_id"] == sent.json()["events"][1]["dead_letter_id"]
    assert world.post("/v1/events", "dispatch_house", first).json()["outcome"] == "duplicate"


def test_the_events_of_a_batch_are_kept_one_by_one_as_they_came(world: World) -> None:
    text = b'[ %s ,\n%s]' % tuple(
        (b'{"specversion":"1.0","id":"%s", "source":"/kept","time":"2026-11-13T10:00:00Z",'
         b'"type":"waybill.stop.arrived.v1","data":{"consignment_id":"SH-1","x":1.10}}') % name for name in (b"k1", b"k2")
    )  # fmt: skip
    answer = world.post("/v1/events/batch", "dispatch_house", text).json()
    bodies = [kept(world, each["message_id"]).body for each in answer["events"]]
    assert all(body in text for body in bodies) and b'"id":"k2", ' in bodies[1]


@pytest.mark.parametrize("body", [{}, [], "text", [event()] * 501])
def test_a_batch_that_is_none_is_refused_whole(world: World, body: Any) -> None:
    assert world.post("/v1/events/batch", "dispatch_house", body).status_code == 422


def test_where_a_shipment_stands(world: World) -> None:
    key = world.key("carrier_north")
    status = world.client.get("/v1/shipments/SH-1", headers=key).json()
    assert (status["order_no"], status["is_delivered"]) == ("SO-1", True)
    trace = world.client.get("/v1/shipments/SH-1/trace", headers=key).json()
    assert [each["what"] for each in trace["steps"]] == ["departed", "delivered"]


def test_a_published_copy_that_is_replaced_is_seen(world: World) -> None:
    assert world.client.get("/v1/shipments/SH-1", headers=world.key("pod_app")).status_code == 200
    aside = world.settings.serving.rename(world.settings.serving.with_suffix(".aside"))
    assert world.client.get("/v1/shipments/SH-1", headers=world.key("pod_app")).status_code == 404
    publish(world.settings)
    assert world.client.get("/v1/shipments/SH-1", headers=world.key("pod_app")).status_code == 200
    aside.unlink()
