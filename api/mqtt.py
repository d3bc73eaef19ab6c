"""``python -m api.mqtt``: events that come over MQTT, into the same inbox as those that are posted.

Partners publish to ``waybill/<partner>/events``, at QoS 1, what they would post to ``/v1/events`` or ``/v1/events/batch``. A
message is acknowledged once it, or the dead letter of what is refused, is committed; so the broker gives again what a
process that died had not kept. Who may publish to whose topic is the broker's to say (docs/security.md).

Belongs here: the way from the broker to the inbox. What an event has to be is ``judging``'s. Needs the extra ``mqtt``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import AnyUrl, ValidationError

from api import bodies, intake, judging
from api.gateway import Gateway
from api.rates import Rates
from api.sources import Source
from contracts.cloud_events import EVENT_TYPE, CloudEvent
from core.errors import ConfigurationError
from core.ids import new_id
from core.settings import Settings, get_settings

try:
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.enums import CallbackAPIVersion
except ImportError as error:
    raise ConfigurationError(
        "paho-mqtt is not installed.", remedy="Install Waybill with its extra `mqtt`."
    ) from error

TOPICS = "waybill/+/events"
PAUSE_S = 5.0
"""Seconds before the broker is asked again after a connection ended."""
_LONGEST_NAME = 140
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_log = logging.getLogger("waybill.api.mqtt")


@dataclass(frozen=True)
class Broker:
    """Where the broker is, and whether it is spoken to under TLS."""

    host: str
    port: int
    is_tls: bool


def broker_of(settings: Settings) -> Broker:
    """The broker that the settings name; ConfigurationError, which repeats nothing of the address, when they name none."""
    given = settings.mqtt_url.get_secret_value() if settings.mqtt_url else ""
    try:
        url = AnyUrl(given)
    except ValidationError:
        url = None
    is_bare = url is not None and not (url.username or url.password) and (url.path or "/") == "/"
    if url is None or not url.host or not is_bare or url.scheme not in _PORTS:
        raise ConfigurationError(
            "WAYBILL_MQTT_URL names no broker.",
            remedy="Set it to mqtt://HOST:PORT or mqtts://HOST:PORT; the user goes into WAYBILL_MQTT_USER, the password into "
            "WAYBILL_MQTT_PASSWORD.",
        )
    return Broker(url.host.strip("[]"), url.port or _PORTS[url.scheme], url.scheme == "mqtts")


async def take(gateway: Gateway, source: Source, raw: bytes) -> list[str]:
    """Keep one message, or what is refused of it as dead letters; what became of each of its events."""
    connection = gateway.connections.get(source.partner)
    if len(raw) > bodies.LARGEST_JSON:
        detail = f"more than {bodies.LARGEST_JSON} bytes"
        return await _refused(gateway, source, bodies.note_of(raw), "TOO_LARGE", detail)
    if connection is None:
        return await _refused(gateway, source, raw, "PARTNER_UNKNOWN", "the topic names no partner")
    try:
        raws = _events(raw)
    except bodies.Refused as error:
        return await _refused(gateway, source, raw, error.reason, error.detail)
    judged = await judging.judge(gateway, connection, source, raws)
    good = [(judging.id_of(each.event), each.raw) for each in judged if each.event is not None]
    if len(raws) == 1 and good:
        (name, body) = good[0]
        kept = [await intake.keep_one(gateway, source, body, name)]
    else:
        kept = await intake.keep_all(gateway, source, good)
    return [each.outcome for each in kept] + ["refused"] * (len(raws) - len(good))


def _events(raw: bytes) -> list[judging.Read]:
    if raw.lstrip(b" \t\r\n").startswith(b"["):
        return judging.several(raw)
    return [(raw, bodies.parse(raw))]


async def _refused(gateway: Gateway, source: Source, raw: bytes, reason: str, detail: str) -> list[str]:
    await intake.refuse(gateway, source, raw, reason, detail)
    return ["refused"]


class Attached:
    """One connection to the broker, from its beginning to its end.

    A client of its own each, and no message outlives it: the number that acknowledges a message here may be another
    message's in the next one.
    """

    def __init__(self, gateway: Gateway, settings: Settings) -> None:
        self._gateway, self._broker = gateway, broker_of(settings)
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._taking: set[asyncio.Task[None]] = set()
        user = settings.mqtt_user
        # A session is its client's name; two installations at one broker have two users.
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"waybill-{user}" if user else "waybill", clean_session=False,
            reconnect_on_failure=False, manual_ack=True,
        )  # fmt: skip
        if user is not None:
            password = settings.mqtt_password
            self._client.username_pw_set(user, password.get_secret_value() if password else None)
        if self._broker.is_tls:
            self._client.tls_set()
        # What a callback raises would end the client's thread in silence.
        self._client.suppress_exceptions = True
        self._client.enable_logger(_log.getChild("client"))
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._came
        self._client.on_disconnect = self._ended

    async def run(self, stop: asyncio.Event) -> None:
        """Take messages in until the connection ends, something cannot be kept, or somebody says stop."""
        try:
            await asyncio.to_thread(self._client.connect, self._broker.host, self._broker.port)
        except OSError as error:
            _log.error("the broker cannot be reached: %s", error.strerror or type(error).__name__)
            return
        self._client.loop_start()
        waiting = [asyncio.create_task(each.wait()) for each in (stop, self._over)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in waiting:
            each.cancel()
        self._over.set()
        await asyncio.gather(*self._taking)
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    # The client's own thread calls these.
    def _connected(self, client: Client, _: Any, __: Any, reason: Any, ___: Any) -> None:
        if reason.is_failure:
            _log.error("the broker lets nobody in as WAYBILL_MQTT_USER: %s", reason)
            return
        client.subscribe(TOPICS, qos=1)

    def _subscribed(self, _: Client, __: Any, ___: int, reasons: list[Any], ____: Any) -> None:
        if any(each.is_failure for each in reasons):
            _log.error("the broker refuses the topics %s: let WAYBILL_MQTT_USER read them", TOPICS)
            self._loop.call_soon_threadsafe(self._over.set)
        else:
            _log.info("%s", json.dumps({"subscribed": TOPICS}))

    def _came(self, _: Client, __: Any, message: MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self._begin, message)

    def _ended(self, *_: Any) -> None:
        self._loop.call_soon_threadsafe(self._over.set)

    def _begin(self, message: MQTTMessage) -> None:
        # What comes while the connection is given up is not acknowledged: it comes again.
        if not self._over.is_set():
            task = asyncio.create_task(self._take(message))
            self._taking.add(task)
            task.add_done_callback(self._taking.discard)

    async def _take(self, message: MQTTMessage) -> None:
        partner = message.topic.split("/")[1][:_LONGEST_NAME]
        source = Source(
            partner=partner, kind=CloudEvent.kind, channel="mqtt", trace_id=new_id("trace"), content_type=EVENT_TYPE
        )  # fmt: skip
        try:
            outcomes = await take(self._gateway, source, bytes(message.payload))
        # Nothing was kept, so nothing is acknowledged: the broker gives it again to the next connection.
        except Exception as error:  # noqa: BLE001
            _log.error("not kept, and not acknowledged: %s (%s)", type(error).__name__, source.trace_id)
            self._over.set()
            return
        self._client.ack(message.mid, message.qos)
        known = partner if partner in self._gateway.connections else None
        line = {"partner": known, "trace_id": source.trace_id, "outcomes": outcomes}
        _log.info("%s", json.dumps(line))


async def serve(settings: Settings) -> None:
    """Take messages in until the process is told to end; a broker that is away is asked again every five seconds."""
    stop, gateway = asyncio.Event(), Gateway(settings, Rates.of(settings))
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    try:
        while not stop.is_set():
            await Attached(gateway, settings).run(stop)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PAUSE_S)
    finally:
        gateway.close()


def main() -> None:
    """Serve until interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        asyncio.run(serve(get_settings()))
    except ConfigurationError as error:
        _log.error("%s", error)
        sys.exit(2)


if __name__ == "__main__":
    main()
