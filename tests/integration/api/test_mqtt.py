"""What comes over MQTT is in the inbox once before it is acknowledged, or it is a dead letter; a real broker, real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from api.mqtt import broker_of
from contracts.cloud_events import EVENT_TYPE
from core.errors import ConfigurationError
from core.settings import Settings
from state import dead_letters
from state.dead_letters import DeadLetter
from state.inbox import Message
from tests.support import certificates, mqtt_broker
from tests.support.api_world import World, event, make_world
from tests.support.mqtt_broker import READER, Broker

# What is waited for comes, or the test fails soon.
pytestmark = pytest.mark.timeout(60)

SERVE = "from api.mqtt import main; main()"
KILLED = """
import os, signal, paho.mqtt.client
paho.mqtt.client.Client.ack = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""
FULL_ONCE = """
import api.mqtt, state.inbox
real, api.mqtt.PAUSE_S = state.inbox.accept, 0
def full(*_):
    state.inbox.accept = real
    raise OSError(28, "No space left on device")
state.inbox.accept = full
"""


class Inward:
    """A process that takes messages in, and what it said of them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def said(self, what: str) -> Any:
        """What it says next of this; waits for it."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.startswith("{") and what in (found := json.loads(line)):
                return found[what]
        raise AssertionError(f"it ended, and said nothing of {what}")

    def complains(self, of: str) -> str:
        """The next line that is no message and has this in it; waits for it."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if not line.startswith("{") and of in line:
                return line
        raise AssertionError(f"it ended, and did not complain of {of}")

    def outcomes(self, messages: int) -> list[str]:
        """What became of the next messages' events; each is acknowledged by then."""
        return sorted(each for _ in range(messages) for each in self.said("outcomes"))


@contextmanager
def taking(
    world: World, broker: Broker, code: str = SERVE, authority: Path | None = None
) -> Iterator[Inward]:
    """``authority``: whose certificates this machine believes, instead of the system's."""
    settings = world.settings
    environment = os.environ | {
        "WAYBILL_HOME": str(settings.home), "WAYBILL_CONNECTIONS": str(settings.connections),
        "WAYBILL_MQTT_URL": broker.url, "WAYBILL_MQTT_USER": READER,
        "WAYBILL_MQTT_PASSWORD": READER,
    }  # fmt: skip
    if authority is not None:
        environment["SSL_CERT_FILE"] = str(authority)
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", code] if code != SERVE else [sys.executable, "-m", "api.mqtt"]
    with subprocess.Popen(command, cwd=root, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Inward(process)
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def world(_master_key: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = make_world(tmp_path_factory.mktemp("mqtt"))
    yield world
    world.gateway.close()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    users = ("dispatch_house", "carrier_north", "stranger")
    with mqtt_broker.running(tmp_path_factory.mktemp("broker"), *users) as broker:
        yield broker


@pytest.fixture(scope="module")
def inward(world: World, broker: Broker) -> Iterator[Inward]:
    with taking(world, broker) as inward:
        inward.said("subscribed")
        yield inward
    assert inward.process.returncode == 0


def body(**changes: Any) -> bytes:
    return json.dumps(event(**changes)).encode()


def rows(world: World, *bodies: bytes) -> list[Message]:
    return [each for each in world.waiting() if each.body in bodies]


def letters(world: World, raw: bytes) -> list[DeadLetter]:
    return [each for each in dead_letters.with_status(world.engine, "open") if each.raw == raw]


# These come before the others: while a process of theirs runs, no other may have its session.
def test_killed_before_it_acknowledges_the_broker_gives_it_again_and_it_is_one_row(
    world: World, broker: Broker
) -> None:
    sent = body()
    with taking(world, broker, KILLED + SERVE) as dying:
        dying.said("subscribed")
        broker.publish("dispatch_house", sent)
        assert dying.process.wait(60) == -signal.SIGKILL
    assert [each.content_type for each in rows(world, sent)] == [EVENT_TYPE]
    with taking(world, broker) as alive:
        assert alive.outcomes(1) == ["duplicate"]
    assert len(rows(world, sent)) == 1


def test_what_the_store_does_not_take_is_given_again_and_the_process_lives(
    world: World, broker: Broker
) -> None:
    sent = body()
    with taking(world, broker, FULL_ONCE + SERVE) as inward:
        inward.said("subscribed")
        broker.publish("dispatch_house", sent)
        assert inward.outcomes(1) == ["accepted"]
    assert inward.process.returncode == 0
    assert len(rows(world, sent)) == 1


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that speaks TLS, with a certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("secure")
    made = certificates.make(folder / "certificate")
    with mqtt_broker.running(folder, "dispatch_house", certificate=made) as broker:
        yield broker


def test_over_tls_a_message_is_taken_as_without(world: World, secure: Broker) -> None:
    sent = body()
    assert secure.certificate is not None
    with taking(world, secure, authority=secure.certificate.authority) as inward:
        inward.said("subscribed")
        secure.publish("dispatch_house", sent)
        assert inward.outcomes(1) == ["accepted"]
    assert len(rows(world, sent)) == 1


def test_a_broker_whose_certificate_nobody_here_believes_is_not_spoken_to(
    world: World, secure: Broker, tmp_path: Path
) -> None:
    another = certificates.make(tmp_path / "another").authority
    with taking(world, secure, authority=another) as inward:
        assert "CERTIFICATE_VERIFY_FAILED" in inward.complains("cannot be reached")


def test_a_certificate_of_another_machine_is_none(world: World, tmp_path: Path) -> None:
    made = certificates.make(tmp_path / "certificate", "127.0.0.2")
    with mqtt_broker.running(tmp_path, "dispatch_house", certificate=made) as broker:
        with taking(world, broker, authority=made.authority) as inward:
            assert "CERTIFICATE_VERIFY_FAILED" in inward.complains("cannot be reached")


def test_a_message_is_one_row_as_it_came_also_when_it_is_sent_twice(
    world: World, broker: Broker, inward: Inward
) -> None:
    sent = body(id="once", beside="kept")
    broker.publish("dispatch_house", sent, sent)
    assert inward.outcomes(2) == ["accepted", "duplicate"]
    (kept,) = rows(world, sent)
    assert (kept.partner, kept.channel, kept.kind) == ("dispatch_house", "mqtt", "event")
    assert kept.event_id == "/lorries once"


def test_what_was_posted_is_the_same_message_over_mqtt(world: World, broker: Broker, inward: Inward) -> None:
    sent = body()
    assert world.post("/v1/events", "dispatch_house", sent).json()["outcome"] == "accepted"
    broker.publish("dispatch_house", sent)
    assert inward.outcomes(1) == ["duplicate"]


def test_another_body_under_its_id_is_a_dead_letter(world: World, broker: Broker, inward: Inward) -> None:
    first, other = body(id="same"), body(id="same", subject="another")
    broker.publish("dispatch_house", first)
    assert inward.outcomes(1) == ["accepted"]
    broker.publish("dispatch_house", other)
    assert inward.outcomes(1) == ["conflict"]
    assert [each.reason for each in letters(world, other)] == ["EVENT_ID_REUSED"]
    assert rows(world, first) and not rows(world, other)


@pytest.mark.parametrize(
    ("user", "bad", "reason"),
    [
        ("dispatch_house", b"no JSON", "JSON_INVALID"),
        ("dispatch_house", b"\xff", "JSON_INVALID"),
        ("dispatch_house", b"", "JSON_INVALID"),
        ("dispatch_house", b"[]", "CONTRACT_BROKEN"),
        ("dispatch_house", b"[" * 40, "NESTED_TOO_DEEP"),
        ("dispatch_house", body(kind="waybill.unheard.of"), "CONTRACT_BROKEN"),
        ("carrier_north", body(data={"consignment_id": "SH-2"}), "NOT_REACHED"),
        ("stranger", body(), "PARTNER_UNKNOWN"),
    ],
)
def test_what_is_refused_is_a_dead_letter_and_the_next_message_is_taken(
    world: World, broker: Broker, inward: Inward, user: str, bad: bytes, reason: str
) -> None:
    good = body()
    broker.publish(user, bad)
    broker.publish("dispatch_house", good)
    assert inward.outcomes(2) == ["accepted", "refused"]
    assert [(each.connection, each.reason) for each in letters(world, bad)] == [(user, reason)]
    assert len(rows(world, good)) == 1 and not rows(world, bad)


def test_of_what_is_too_large_size_and_hash_are_kept(world: World, broker: Broker, inward: Inward) -> None:
    broker.publish("dispatch_house", b" " * (1 << 20) + b"{")
    assert inward.outcomes(1) == ["refused"]
    (letter,) = [e for e in dead_letters.with_status(world.engine, "open") if e.reason == "TOO_LARGE"]
    assert json.loads(letter.raw)["size"] == (1 << 20) + 1


def test_each_event_of_a_batch_is_judged_by_itself(world: World, broker: Broker, inward: Inward) -> None:
    good, bad = event(), event(kind="waybill.unheard.of")
    broker.publish("dispatch_house", json.dumps([good, bad]).encode())
    assert inward.outcomes(1) == ["accepted", "refused"]
    assert len(rows(world, json.dumps(good).encode())) == 1
    assert len(letters(world, json.dumps(bad).encode())) == 1


def test_the_broker_lets_nobody_publish_as_another(world: World, broker: Broker, inward: Inward) -> None:
    foreign, own = body(), body(data={"consignment_id": "SH-1"})
    broker.publish("carrier_north", foreign, topic="waybill/dispatch_house/events")
    broker.publish("carrier_north", own)
    assert inward.outcomes(1) == ["accepted"]
    assert rows(world, own) and not rows(world, foreign) and not letters(world, foreign)


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        ("mqtt://broker.example", True),
        ("mqtts://broker.example:8884", True),
        ("https://broker.example", False),
        ("mqtt://user:canary@broker.example", False),
        ("mqtt://", False),
        (None, False),
    ],
)
def test_an_address_that_names_no_broker_is_refused_and_not_repeated(url: str | None, is_good: bool) -> None:
    settings = Settings(mqtt_url=SecretStr(url) if url else None)
    if is_good:
        assert broker_of(settings).port == (8884 if "mqtts" in str(url) else 1883)
        return
    with pytest.raises(ConfigurationError) as refused:
        broker_of(settings)
    assert "canary" not in str(refused.value)
