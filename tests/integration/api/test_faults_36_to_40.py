"""Faults 36 to 40: what the API answers while something beside it is broken, and what is kept then."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import event as events

from state import dead_letters, inbox, vault
from tests.integration.api.test_documents import PNG, upload
from tests.integration.api.test_webhooks import SECRETS, SENT, signed
from tests.support.api_world import World, cost, event, make_world, proof


@pytest.fixture
def own(_master_key: None, tmp_path: Path) -> Iterator[World]:
    world = make_world(tmp_path)
    yield world
    world.gateway.close()


def test_36_with_the_erp_down_it_is_still_202(own: World, monkeypatch: pytest.MonkeyPatch) -> None:
    own.key("pod_app"), own.key("dispatch_house")

    def no_network(*_: Any) -> None:
        raise ConnectionRefusedError

    # Nothing outside answers, neither the ERP nor anything else: a message needs the disk alone.
    monkeypatch.setattr(socket.socket, "connect", no_network)
    assert own.post("/v1/proofs-of-delivery", "pod_app", proof()).status_code == 202
    assert own.post("/v1/events", "dispatch_house", event()).status_code == 202
    assert len(own.waiting()) == 2


def test_37_with_the_disk_full_it_is_503_and_nothing_is_kept(own: World) -> None:
    key, held = own.key("carrier_north"), {"on": True}
    assert own.post("/v1/freight-costs", "carrier_north", cost()).status_code == 202

    @events.listens_for(own.engine, "begin")
    def _full(connection: Any) -> None:
        # No page more than there are: SQLite answers as it does on a full disk.
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        most = pages if held["on"] else 1_000_000
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")

    body = cost(basis="x" * 1999) | {"beside": ["y" * 60_000] * 5}
    sent = own.client.post("/v1/freight-costs", headers=key | {"Idempotency-Key": "full"}, json=body)
    assert sent.status_code == 503 and int(sent.headers["retry-after"]) > 0
    batch = own.post("/v1/events/batch", "dispatch_house", [event(beside="z" * 60_000) for _ in range(9)])
    held["on"] = False
    assert batch.status_code == 503
    assert len(own.waiting()) == 1
    again = own.client.post("/v1/freight-costs", headers=key | {"Idempotency-Key": "full"}, json=body)
    assert (again.status_code, again.json()["outcome"]) == (202, "accepted")


def test_37_with_no_room_for_a_document_it_is_503(own: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vault, "seal", full)
    answer = upload(own, PNG, "image/png")
    assert answer.status_code == 503 and "retry-after" in answer.headers


@pytest.mark.parametrize("state", ["sqlite", "postgresql"])
def test_38_39_the_same_id_is_one_row_and_another_body_under_it_a_dead_letter(
    state: str, request: pytest.FixtureRequest, _master_key: None, tmp_path: Path
) -> None:
    url: SecretStr | None = None
    if state == "postgresql":
        url = request.getfixturevalue("event_path_url")
    world = make_world(tmp_path, url)
    key, body = world.key("carrier_north") | {"Idempotency-Key": "same"}, cost()
    first, again, other = (
        world.client.post("/v1/freight-costs", headers=key, json=each)
        for each in (body, body, body | {"amount": "1.00"})
    )
    assert (first.status_code, again.status_code, again.json()["outcome"]) == (202, 202, "duplicate")
    assert first.json()["message_id"] == again.json()["message_id"] == other.json()["message_id"]
    assert other.status_code == 409
    assert len(world.waiting()) == 1
    (letter,) = dead_letters.with_status(world.engine, "open")
    assert (letter.reason, json.loads(letter.raw)["amount"]) == (inbox.CONFLICT, "1.00")
    world.gateway.close()


@pytest.fixture
def event_path_url(request: pytest.FixtureRequest) -> Iterator[SecretStr]:
    with request.getfixturevalue("postgres").database() as url:
        yield url


@pytest.mark.parametrize("vendor", ["samsara", "standard"])
def test_40_a_bad_signature_and_an_old_timestamp_are_401_and_nothing_is_kept(own: World, vendor: str) -> None:
    own.secret("fleet", vendor, SECRETS[vendor])
    body, path = json.dumps(SENT[vendor]).encode(), f"/v1/webhooks/{vendor}/fleet"
    for headers in (signed(vendor, body, 1_700_000_000), signed(vendor, body + b" "), {}):
        assert own.client.post(path, content=body, headers=headers).status_code == 401
    assert own.waiting() == [] and dead_letters.counts(own.engine) == {}
    assert own.client.post(path, content=body, headers=signed(vendor, body)).status_code == 202
    assert len(own.waiting()) == 1
