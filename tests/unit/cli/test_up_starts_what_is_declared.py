"""``waybill up`` takes messages of a broker in where one is named, and does not look for one where none is."""

from __future__ import annotations

from pydantic import SecretStr

from cli.up import _commands
from core.settings import Settings

PORTS = {"dashboard": 8500, "api": 8600}


def test_the_listener_is_started_where_a_broker_is_named() -> None:
    named = _commands(Settings(mqtt_url=SecretStr("mqtts://broker.example")), 3000, PORTS)
    assert named["mqtt"][-2:] == ["-m", "api.mqtt"]
    assert _commands(Settings(), 3000, PORTS).keys() == named.keys() - {"mqtt"}
