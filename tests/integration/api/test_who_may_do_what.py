"""Keys, scopes, objects and rates: nobody does what is not theirs, and everybody learns as little as there is to know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.rates import Rates
from contracts.examples import EXAMPLES
from core.clock import utc_now
from state import inbox, keys
from tests.support.api_world import World, cost, event, make_world, proof

WRITES = {
    "/v1/order-releases": "orders:write", "/v1/route-assignments": "routes:write", "/v1/proofs-of-delivery": "proofs:write",
    "/v1/freight-costs": "freight:write", "/v1/exceptions": "exceptions:write", "/v1/events": "events:write",
    "/v1/events/batch": "events:write", "/v1/proofs-of-delivery/P/documents?kind=photo": "proofs:write",
}  # fmt: skip
READS = {
    "/v1/shipments/SH-1": "shipments:read", "/v1/shipments/SH-1/trace": "shipments:read", "/v1/messages/m": "messages:read",
    "/v1/kpis": "kpis:read", f"/v1/proofs-of-delivery/P/documents/{'0' * 64}": "proofs:write",
}  # fmt: skip
ROUTES = [
    *(("POST", path, scope) for path, scope in WRITES.items()),
    *(("GET", path, scope) for path, scope in READS.items()),
]


def ask(world: World, method: str, path: str, headers: dict[str, str]) -> Any:
    return world.client.request(
        method, path, headers={"Idempotency-Key": "k"} | headers, content=b"{}" if method == "POST" else None
    )


def test_every_route_is_in_the_list(world: World) -> None:
    described = {
        (method.upper(), path)
        for path, operations in world.client.get("/v1/openapi.json").json()["paths"].items()
        for method in operations
        if not path.startswith("/v1/webhooks")
    }
    assert len(described) == len(ROUTES)


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_without_a_key_nothing_is_answered(world: World, method: str, path: str, scope: str) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wbk_nobody"},
        {"Authorization": f"Basic {world.token('pod_app')}"},
    ):
        answer = ask(world, method, path, headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_a_key_does_what_its_scopes_say_and_no_more(world: World, method: str, path: str, scope: str) -> None:
    others = [each for each in keys.SCOPES if each != scope]
    refused = ask(
        world,
        method,
        path,
        world.key("carrier_south", *others) if scope != "kpis:read" else world.key("fleet", *others),
    )
    assert refused.status_code == 403
    _end_keys(world, "carrier_south", "fleet")


def _end_keys(world: World, *partners: str) -> None:
    for each in keys.every(world.engine):
        if each.partner in partners and each.revoked_at is None:
            keys.revoke(world.engine, each.key_id, "admin", "test", utc_now())
    for name in [name for name in world._tokens if name[0] in partners]:
        world._tokens.pop(name)


def test_a_revoked_key_is_refused_with_the_next_request(world: World) -> None:
    token = world.key("fleet")
    assert world.client.get("/v1/kpis", headers=token).status_code != 401
    _end_keys(world, "fleet")
    assert world.client.get("/v1/kpis", headers=token).status_code == 401


def test_a_key_of_a_retired_partner_is_none(world: World) -> None:
    assert world.client.get("/v1/messages/m", headers=world.key("gone")).status_code == 401


@pytest.mark.parametrize(
    ("partner", "shipment", "status"),
    [
        ("carrier_north", "SH-1", 202),  # by its carrier
        ("carrier_north", "SH-2", 404),  # another carrier's
        ("carrier_north", "SH-3", 404),  # nobody's yet
        ("carrier_north", "SH-unknown", 404),  # could be anybody's
        ("carrier_south", "SH-1", 404),
        ("pod_app", "SH-2", 202),  # by its connection
        ("pod_app", "SH-unknown", 202),  # waits for its shipment
        ("erp_house", "SH-1", 202),  # of its own order
        ("fleet", "SH-1", 404),
    ],
)
def test_a_partner_writes_to_shipments_that_it_reaches(
    world: World, partner: str, shipment: str, status: int
) -> None:
    before = inbox.waiting(world.engine).get(partner, 0)
    for path, body in (("/v1/freight-costs", cost(shipment)), ("/v1/proofs-of-delivery", proof(shipment)),
                       ("/v1/events", event(data={"consignment_id": shipment}))):  # fmt: skip
        assert world.post(path, partner, body).status_code == status
    assert inbox.waiting(world.engine).get(partner, 0) - before == (3 if status == 202 else 0)


@pytest.mark.parametrize(
    ("partner", "status"),
    [("carrier_north", 200), ("carrier_south", 404), ("erp_house", 200), ("fleet", 404)],
)
def test_a_partner_reads_shipments_that_it_reaches(world: World, partner: str, status: int) -> None:
    for path in ("/v1/shipments/SH-1", "/v1/shipments/SH-1/trace"):
        assert world.client.get(path, headers=world.key(partner)).status_code == status


def test_another_s_shipment_and_none_at_all_look_the_same(world: World) -> None:
    key = world.key("carrier_north")
    foreign, nothing = (
        world.client.get(f"/v1/shipments/{each}", headers=key).json() for each in ("SH-2", "SH-none")
    )
    assert foreign == nothing
    foreign, nothing = (
        world.post("/v1/freight-costs", "carrier_north", cost(each)).json() for each in ("SH-2", "SH-none")
    )
    assert foreign == nothing


@pytest.mark.parametrize(
    "body",
    [cost("SH-1", order_id="SO-2"), cost("SH-1") | {"consignment_id": None, "order_id": "SO-2"}],
    ids=["its shipment, another's order", "another's order"],
)
def test_an_order_of_another_is_not_there_either(world: World, body: dict[str, Any]) -> None:
    assert world.post("/v1/freight-costs", "carrier_north", body).status_code == 404


@pytest.mark.parametrize(
    ("data", "status"),
    [({"trip_id": "T-SH-1"}, 202), ({"trip_id": "T-SH-2"}, 404), ({"stop_id": "ST-SH-2"}, 404)],
)
def test_trips_and_stops_are_bound_too(world: World, data: dict[str, Any], status: int) -> None:
    assert world.post("/v1/events", "carrier_north", event(data=data)).status_code == status


def test_a_lorry_is_told_of_by_who_has_lorries(world: World) -> None:
    geofence = {"device_id": "D-1", "location_id": "L-1"}
    for partner, status in (("fleet", 202), ("carrier_north", 403), ("pod_app", 403)):
        sent = world.post("/v1/events", partner, event("waybill.geofence.entered.v1", geofence))
        assert sent.status_code == status


def assignment(shipment: str, order: str = "SO-new") -> dict[str, Any]:
    return {
        "trip_id": "T-new", "status": "confirmed", "changed_at": "2026-11-13T10:00:00Z",
        "consignments": [{"consignment_id": shipment, "order_id": order}],
    }  # fmt: skip


def test_nobody_releases_an_order_under_another_s_number(world: World) -> None:
    order = EXAMPLES["OrderRelease"]
    for partner, number, status in (
        ("erp_house", "SO-1", 202), ("carrier_south", "SO-1", 404), ("fleet", "SO-1", 404), ("fleet", "SO-own", 202),
    ):  # fmt: skip
        sent = world.post("/v1/order-releases", partner, order | {"order_id": number})
        assert sent.status_code == status


def test_who_brings_a_shipment_in_has_it(world: World) -> None:
    assert world.post("/v1/route-assignments", "dispatch_house", assignment("SH-new")).status_code == 202
    assert world.post("/v1/route-assignments", "dispatch_house", assignment("SH-new")).status_code == 202
    assert world.post("/v1/route-assignments", "pod_app", assignment("SH-new")).status_code == 202
    assert (
        world.post("/v1/route-assignments", "carrier_north", assignment("SH-new", "SO-1")).status_code == 404
    )
    assert world.post("/v1/route-assignments", "carrier_north", assignment("SH-2", "SO-1")).status_code == 404
    assert (
        world.post("/v1/route-assignments", "carrier_north", assignment("SH-theirs", "SO-1")).status_code
        == 202
    )
    assert world.post("/v1/freight-costs", "carrier_north", cost("SH-theirs")).status_code == 202
    assert world.post("/v1/freight-costs", "dispatch_house", cost("SH-theirs")).status_code == 404


def test_in_a_batch_the_foreign_event_alone_is_refused(world: World) -> None:
    batch = [event(data={"consignment_id": each}) for each in ("SH-1", "SH-2", "SH-1")]
    sent = world.post("/v1/events/batch", "carrier_north", batch)
    assert [each["outcome"] for each in sent.json()["events"]] == ["accepted", "refused", "accepted"]


def test_too_many_requests_are_told_when_to_come_again(_master_key: None, tmp_path: Path) -> None:
    rates = Rates(6, 3, 2)
    world = make_world(tmp_path, rates=rates)
    key = world.key("fleet")
    asked = [world.client.get("/v1/messages/m", headers=key) for _ in range(4)]
    assert [each.status_code for each in asked] == [404, 404, 404, 429]
    assert 1 <= int(asked[-1].headers["retry-after"]) <= 60
    other = [world.client.get("/v1/messages/m", headers=world.key("pod_app")).status_code for _ in range(3)]
    assert other == [404, 404, 429], "the address has had its six"
    world.gateway.close()


def test_an_address_that_guesses_is_made_to_wait(_master_key: None, tmp_path: Path) -> None:
    rates = Rates(100, 100, 2)
    world = make_world(tmp_path, rates=rates)
    guesses = [
        world.client.get("/v1/messages/m", headers={"Authorization": "Bearer wbk_x"}).status_code
        for _ in range(3)
    ]
    assert guesses == [401, 401, 429]
    assert world.client.get("/v1/messages/m", headers=world.key("pod_app")).status_code == 429
    world.gateway.close()
