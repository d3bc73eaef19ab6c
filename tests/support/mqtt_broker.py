"""A mosquitto of the test's own on loopback, whose users and topics are those that docs/security.md asks for.

Belongs here: starting it and publishing to it. What becomes of a message is the test's.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt import publish
from paho.mqtt.enums import MQTTProtocolVersion

from tests.support.certificates import Certificate

READER = "waybill"
# Debian keeps the broker where only root's path looks.
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
_RULES = f"""user {READER}
topic read waybill/+/events
pattern write waybill/%u/events
"""


@dataclass(frozen=True)
class Broker:
    """Each user's password is its name. ``certificate``: it speaks TLS and nothing else."""

    port: int
    certificate: Certificate | None = None

    @property
    def url(self) -> str:
        return f"{'mqtts' if self.certificate else 'mqtt'}://127.0.0.1:{self.port}"

    def publish(self, user: str, *bodies: bytes, topic: str | None = None) -> None:
        """Publish as a user, to its own topic when none is named; returns when the broker has them all."""
        messages = [
            {"topic": topic or f"waybill/{user}/events", "payload": each, "qos": 1} for each in bodies
        ]
        publish.multiple(
            messages, hostname="127.0.0.1", port=self.port, client_id=f"unit-of-{user}",
            auth={"username": user, "password": user}, protocol=MQTTProtocolVersion.MQTTv311,
            tls={"ca_certs": str(self.certificate.authority)} if self.certificate else None,
        )  # fmt: skip


@contextmanager
def running(folder: Path, *users: str, certificate: Certificate | None = None) -> Iterator[Broker]:
    """The broker, while the block runs."""
    found = shutil.which("mosquitto", path=_PATH)
    assert found, "mosquitto is not installed: run ./scripts/install-browser.sh once"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    passwords, rules, settings = (folder / name for name in ("passwords", "rules", "mosquitto.conf"))
    passwords.write_text("".join(f"{each}:{each}\n" for each in (READER, *users)))
    passwords.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
    rules.write_text(_RULES)
    secure = f"certfile {certificate.server}\nkeyfile {certificate.key}\n" if certificate else ""
    settings.write_text(
        f"listener {port} 127.0.0.1\n{secure}allow_anonymous false\npassword_file {passwords}\nacl_file {rules}\n"
        f"user {getpass.getuser()}\nlog_dest stderr\nconnection_messages false\n"
    )
    process = subprocess.Popen([found, "-c", str(settings)], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if "running" in line:
                break
        assert process.poll() is None and "running" in said[-1], said
        yield Broker(port, certificate)
    finally:
        process.terminate()
        process.wait(30)
        assert process.stderr is not None
        process.stderr.close()
