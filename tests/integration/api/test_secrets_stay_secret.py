"""Canary secrets (a part of fault 45): a key, a webhook secret and the content of messages get into no log, no answer and
no table but where they belong."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from api.request_log import LOGGED
from state.engine import reading
from state.tables import metadata
from tests.integration.api.test_webhooks import mac
from tests.support.api_world import World, cost, make_world

WEBHOOK, SIGNER, QUERY = "canary-webhook-91c2", "canary-signer-7be0", "canary-query-55aa"


@pytest.fixture
def own(_master_key: None, tmp_path: Path) -> Iterator[World]:
    world = make_world(tmp_path)
    yield world
    world.gateway.close()


def tables(world: World) -> dict[str, str]:
    with reading(world.engine) as db:
        return {
            each.name: "\n".join(map(str, db.execute(select(each)).all())) for each in metadata.sorted_tables
        }


def test_canaries_are_found_where_they_belong_and_nowhere_else(
    own: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    own.secret("fleet", "motive", WEBHOOK)
    token = own.token("carrier_north")
    secret = token.split("_", 2)[2]
    answers = [
        own.post("/v1/freight-costs", "carrier_north", cost(basis=SIGNER)),
        own.post("/v1/freight-costs", "carrier_north", cost(basis=SIGNER, amount=1)),
        own.client.get(f"/v1/messages/x?token={QUERY}", headers=own.key("carrier_north")),
        own.client.get("/v1/kpis", headers={"Authorization": f"Bearer {token}x"}),
        own.client.post(
            "/v1/webhooks/motive/fleet", content=b"{}", headers={"X-KT-Webhook-Signature": WEBHOOK}
        ),
    ]
    body = json.dumps({"action": "test"}).encode()
    signature = {"X-KT-Webhook-Signature": mac("sha1", WEBHOOK.encode(), body)}
    assert own.client.post("/v1/webhooks/motive/fleet", content=body, headers=signature).status_code == 202
    said = "\n".join(each.text + str(dict(each.headers)) for each in answers)
    logged = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("httpx")
    )
    kept = tables(own)
    for canary in (secret, WEBHOOK, SIGNER, QUERY):
        assert canary not in said and canary not in logged, canary
    for canary in (secret, WEBHOOK, QUERY):
        assert [name for name, rows in kept.items() if canary in rows] == []
    # A message's content is kept as it came, and in no third place.
    assert {name for name, rows in kept.items() if SIGNER in rows} == {"inbox", "dead_letters"}
    everywhere = [
        path for path in own.settings.root.rglob("*") if path.is_file() and path.name != "state.sqlite-shm"
    ]
    assert not any(
        canary.encode() in path.read_bytes() for path in everywhere for canary in (secret, WEBHOOK)
    )


def test_the_log_has_the_listed_fields_alone(own: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "waybill.api.requests")
    own.post("/v1/freight-costs", "carrier_north", cost())
    own.client.get(f"/{QUERY}?{QUERY}={QUERY}")
    lines = [json.loads(each.getMessage()) for each in caplog.records if each.name == "waybill.api.requests"]
    assert [tuple(line) for line in lines] == [LOGGED, LOGGED]
    assert (lines[0]["partner"], lines[0]["route"], lines[0]["status"]) == (
        "carrier_north",
        "/v1/freight-costs",
        202,
    )
    assert lines[1]["route"] == "none"
