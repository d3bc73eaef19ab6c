"""A webhook is taken in when its vendor signed it, just now where the vendor signs the time, and never else."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from api.signatures import CHECKS, NotSigned
from contracts.examples import EXAMPLES
from core.clock import utc_now
from core.ids import sha256_hex
from state import dead_letters, inbox, webhook_secrets
from tests.support.api_world import World, cost, proof

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "contracts"
HEX, B64 = "ab" * 32, base64.b64encode(b"s" * 32).decode()
SECRETS = {
    "onfleet": HEX,
    "samsara": B64,
    "motive": "motive-secret",
    "easypost": "s\u00e9cret",
    "standard": f"whsec_{B64}",
}
SENT = {
    "onfleet": EXAMPLES["OnfleetWebhook"], "samsara": EXAMPLES["SamsaraWebhook"], "motive": EXAMPLES["MotiveWebhook"],
    "easypost": EXAMPLES["EasyPostWebhook"], "standard": EXAMPLES["StandardWebhook"]
    | {"type": "waybill.geofence.entered.v1", "data": {"device_id": "D-1", "location_id": "L-1"}},
}  # fmt: skip


def mac(algorithm: str, key: bytes, body: bytes) -> str:
    return hmac.new(key, body, algorithm).hexdigest()


def signed(vendor: str, body: bytes, at: float | None = None, name: str = "msg-1") -> dict[str, str]:
    """The headers as each vendor's reference says, made apart from what checks them."""
    seconds = str(int(time.time() if at is None else at))
    makers: dict[str, Callable[[], dict[str, str]]] = {
        "onfleet": lambda: {"X-Onfleet-Signature": mac("sha512", bytes.fromhex(HEX), body)},
        "samsara": lambda: {
            "X-Samsara-Timestamp": seconds,
            "X-Samsara-Signature": "v1=" + mac("sha256", b"s" * 32, f"v1:{seconds}:".encode() + body),
        },
        "motive": lambda: {"X-KT-Webhook-Signature": mac("sha1", b"motive-secret", body)},
        "easypost": lambda: {"X-Hmac-Signature": "hmac-sha256-hex=" + mac("sha256", "se\u0301cret".encode(), body)},
        "standard": lambda: {
            "webhook-id": name, "webhook-timestamp": seconds,
            "webhook-signature": "v1,AAAA "
            + Webhook(SECRETS["standard"]).sign(name, datetime.fromtimestamp(int(seconds), UTC), body.decode()),
        },
    }  # fmt: skip
    return makers[vendor]()


@pytest.fixture(scope="module")
def signing(world: World) -> World:
    for vendor, secret in SECRETS.items():
        world.secret("fleet", vendor, secret)
    return world


def send(world: World, vendor: str, body: bytes, headers: dict[str, str], partner: str = "fleet") -> Any:
    return world.client.post(f"/v1/webhooks/{vendor}/{partner}", content=body, headers=headers)


@pytest.mark.parametrize("vendor", CHECKS)
def test_what_is_signed_is_kept_as_it_came_and_once(signing: World, vendor: str) -> None:
    body = json.dumps(SENT[vendor] | {"beside": "kept"}).encode()
    first, again = (send(signing, vendor, body, signed(vendor, body)) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202), first.text
    assert (first.json()["outcome"], again.json()["outcome"]) == ("accepted", "duplicate")
    (kept,) = [each for each in signing.waiting() if each.message_id == first.json()["message_id"]]
    assert (kept.kind, kept.channel, kept.body) == (f"webhook:{vendor}", "webhook", body)


@pytest.mark.parametrize("vendor", CHECKS)
def test_what_is_not_signed_is_kept_nowhere(signing: World, vendor: str) -> None:
    body = json.dumps(SENT[vendor] | {"canary": vendor}).encode()
    good = signed(vendor, body)
    waiting, letters = inbox.waiting(signing.engine), len(dead_letters.with_status(signing.engine, "open"))
    other = {name: value[:-2] + ("AA" if value[-2:] != "AA" else "BB") for name, value in good.items()}
    for headers in ({}, other):
        assert send(signing, vendor, body, headers).status_code == 401
    assert send(signing, vendor, body + b" ", good).status_code == 401
    assert send(signing, vendor, body, good, partner="pod_app").status_code == 401
    assert send(signing, vendor, body, good, partner="unheard_of").status_code == 401
    assert inbox.waiting(signing.engine) == waiting
    assert len(dead_letters.with_status(signing.engine, "open")) == letters


@pytest.mark.parametrize("vendor", ["samsara", "standard"])
@pytest.mark.parametrize(("seconds", "is_good"), [(-301, False), (-299, True), (299, True), (301, False)])
def test_what_was_signed_at_another_time_is_refused(vendor: str, seconds: int, is_good: bool) -> None:
    now = datetime(2026, 11, 13, 10, tzinfo=UTC)
    headers = {
        n.lower(): v for n, v in signed(vendor, b"{}", (now + timedelta(seconds=seconds)).timestamp()).items()
    }
    if is_good:
        CHECKS[vendor](SECRETS[vendor], headers, b"{}", now)
    else:
        with pytest.raises(NotSigned):
            CHECKS[vendor](SECRETS[vendor], headers, b"{}", now)


def test_an_old_timestamp_is_answered_401(signing: World) -> None:
    body = json.dumps(SENT["samsara"] | {"old": 1}).encode()
    assert send(signing, "samsara", body, signed("samsara", body, time.time() - 3600)).status_code == 401


@pytest.mark.parametrize("stamp", ["", "-1", "1e9", "NaN", "9" * 20, "\u0661"])
def test_a_timestamp_that_is_none_is_refused(stamp: str) -> None:
    for vendor, header in (("samsara", "x-samsara-timestamp"), ("standard", "webhook-timestamp")):
        headers = {n.lower(): v for n, v in signed(vendor, b"{}").items()} | {header: stamp}
        with pytest.raises(NotSigned):
            CHECKS[vendor](SECRETS[vendor], headers, b"{}", utc_now())


def test_the_published_vector_of_standard_webhooks() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }  # fmt: skip
    secret, now = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", datetime.fromtimestamp(1614265330, UTC)
    CHECKS["standard"](secret, headers, b'{"test": 2432232314}', now)
    with pytest.raises(NotSigned):
        CHECKS["standard"](secret, headers, b'{"test": 2432232315}', now)


def test_the_published_vector_of_easypost() -> None:
    # Secret, body and signature are those of the tests of EasyPost's client libraries (easypost-go v2, easypost-python v7).
    body = (
        b'{"result":{"id":"batch_123...","object":"Batch","mode":"test","state":"created","num_shipments":0,'
        b'"reference":null,"created_at":"2022-07-26T17:22:32Z","updated_at":"2022-07-26T17:22:32Z","scan_form":null,'
        b'"shipments":[],"status":{"created":0,"queued_for_purchase":0,"creation_failed":0,"postage_purchased":0,'
        b'"postage_purchase_failed":0},"pickup":null,"label_url":null},"description":"batch.created","mode":"test",'
        b'"previous_attributes":null,"completed_urls":null,"user_id":"user_123...","status":"pending","object":"Event",'
        b'"id":"evt_123..."}'
    )
    made = "hmac-sha256-hex=e93977c8ccb20363d51a62b3fe1fc402b7829be1152da9e88cf9e8d07115a46b"
    headers = {"x-hmac-signature": made}
    for secret in ("s\u00e9cret", "se\u0301cret"):  # however it was typed in
        CHECKS["easypost"](secret, headers, body, utc_now())
    for secret, told in (("secret", body), ("s\u00e9cret", body + b" ")):
        with pytest.raises(NotSigned):
            CHECKS["easypost"](secret, headers, told, utc_now())


def test_the_published_vector_of_motive() -> None:
    secret, body = "8cbd43f98ba1e33c28c9", b'{"action":"test"}'
    headers = {"x-kt-webhook-signature": "5e1a966298ba4f3e91847aea8746198ca0530dd2"}
    CHECKS["motive"](secret, headers, body, utc_now())
    with pytest.raises(NotSigned):
        CHECKS["motive"](secret, headers, body + b" ", utc_now())


@pytest.mark.skipif(
    not SHARED.is_dir(), reason="the published contracts are not at ../shared/data: nothing to compare with"
)
@pytest.mark.parametrize(
    ("vendor", "path"),
    [
        ("samsara", "samsara/webhook_RouteStopDeparture.trimmed.json"), ("samsara", "samsara/webhook_DocumentSubmitted.trimmed.json"),
        ("easypost", "easypost/events-retrieve.json"),
    ],
)  # fmt: skip
def test_a_published_example_is_taken_in(signing: World, vendor: str, path: str) -> None:
    body = (SHARED / path).read_bytes().strip()
    answer = send(signing, vendor, body, signed(vendor, body))
    assert answer.status_code in (202, 409), answer.text  # both of Samsara's examples have one id


@pytest.mark.skipif(
    not SHARED.is_dir(), reason="the published contracts are not at ../shared/data: nothing to compare with"
)
def test_motive_s_documented_payload_and_its_trial_call_are_taken_in(signing: World) -> None:
    published = json.loads((SHARED / "motive" / "webhook_vehicle_location.json").read_text())
    for body in (
        json.dumps(published["documented_payload"]).encode(),
        published["signature"]["test_vector"]["body"].encode(),
    ):
        assert send(signing, "motive", body, signed("motive", body)).status_code == 202


def test_two_secrets_are_good_while_one_follows_the_other(signing: World) -> None:
    old, new = "old-secret", "new-secret"
    for secret in (old, new):
        signing.secret("pod_app", "motive", secret)
    for secret in (old, new):
        body = json.dumps({"action": "test", "by": secret}).encode()
        headers = {"X-KT-Webhook-Signature": mac("sha1", secret.encode(), body)}
        assert send(signing, "motive", body, headers, partner="pod_app").status_code == 202


def test_without_its_key_no_secret_opens_and_nothing_is_taken_in(
    signing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(webhook_secrets.KEY_NAME)
    body = json.dumps(SENT["motive"]).encode()
    answer = send(signing, "motive", body, signed("motive", body))
    assert answer.status_code == 503 and "retry-after" in answer.headers


def test_a_signed_body_that_is_no_message_is_a_dead_letter(signing: World) -> None:
    for body, status in ((b"[1]", 422), (b"{", 400)):
        answer = send(signing, "motive", body, signed("motive", body))
        assert answer.status_code == status
        assert dead_letters.get(signing.engine, answer.json()["dead_letter_id"]).raw == body


@pytest.mark.parametrize(
    ("carried", "status"),
    [
        ({"type": "freight_cost", "data": cost("SH-1")}, 202),
        ({"type": "freight_cost", "data": cost("SH-2")}, 404),
        ({"type": "freight_cost", "data": cost("SH-1", amount=1)}, 422),
        ({"type": "proof_of_delivery", "data": proof("SH-2")}, 404),
        (
            {
                "type": "proof_of_delivery",
                "data": proof(documents=[{"document_id": "0" * 64, "kind": "photo"}]),
            },
            422,
        ),
        ({"type": "waybill.stop.arrived.v1", "data": {"consignment_id": "SH-1"}}, 202),
        ({"type": "waybill.stop.arrived.v1", "data": {"consignment_id": "SH-2"}}, 404),
        ({"type": "webhook:motive", "data": {"action": "test"}}, 422),
        ({"type": "waybill.unheard.of", "data": {}}, 422),
    ],
)
def test_a_message_of_ours_inside_is_bound_to_its_sender(
    signing: World, carried: dict[str, Any], status: int
) -> None:
    signing.secret("carrier_north", "standard", SECRETS["standard"])
    body = json.dumps({"timestamp": "2026-11-13T10:15:00Z"} | carried).encode()
    headers = signed("standard", body, name=sha256_hex(body))
    assert send(signing, "standard", body, headers, partner="carrier_north").status_code == status


def test_onfleet_gets_its_own_text_back(signing: World) -> None:
    asked = signing.client.get("/v1/webhooks/onfleet/fleet", params={"check": "a1B2"})
    assert (asked.status_code, asked.text) == (200, "a1B2")
    assert asked.headers["content-type"].startswith("text/plain")
    assert signing.client.get("/v1/webhooks/onfleet/fleet", params={"check": "<script>"}).status_code == 422


@pytest.mark.parametrize("vendor", CHECKS)
def test_nothing_but_the_comparison_in_constant_time_decides(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {name.lower(): value for name, value in signed(vendor, b"{}").items()}
    with pytest.raises(NotSigned):
        CHECKS[vendor](SECRETS[vendor], headers, b"[]", utc_now())
    monkeypatch.setattr(hmac, "compare_digest", lambda *_: True)
    CHECKS[vendor](SECRETS[vendor], headers, b"[]", utc_now())
