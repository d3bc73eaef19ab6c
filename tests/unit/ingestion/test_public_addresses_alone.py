"""What a name leads to is judged at the moment of connecting, and no other address is connected to."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpcore
import pytest

from core.connections import Connection
from core.errors import ConfigurationError
from ingestion import public_only
from ingestion.base import SourceFailure
from ingestion.http import HttpSource
from ingestion.public_only import PrivateAddress, PublicOnly, is_public

PRIVATE = {
    "loopback": "127.0.0.1", "loopback, another": "127.9.9.9", "private, ten": "10.0.0.1", "private, 172": "172.16.0.1",
    "private, 192": "192.168.1.1", "link-local": "169.254.169.254", "carrier's": "100.64.0.1", "this net": "0.0.0.0",
    "multicast": "224.0.0.1", "multicast, not local": "239.255.0.1", "reserved": "240.0.0.1", "broadcast": "255.255.255.255",
    "documentation": "192.0.2.1", "loopback, six": "::1", "unspecified, six": "::", "link-local, six": "fe80::1",
    "with a scope": "fe80::1%eth0", "unique local": "fc00::1", "site-local": "fec0::1", "multicast, six": "ff02::1",
    "mapped": "::ffff:10.0.0.1", "mapped loopback": "::ffff:127.0.0.1", "behind 6to4": "2002:0a00:0001::1",
    "behind NAT64": "64:ff9b::a00:1", "documentation, six": "2001:db8::1",
}  # fmt: skip
PUBLIC = (
    "93.184.216.34",
    "8.8.8.8",
    "2606:2800:220:1:248:1893:25c8:1946",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
)


class Wire(httpcore.NetworkBackend):
    """In place of the network: what was connected to."""

    def __init__(self, deaf: Iterable[str] = ()) -> None:
        self.asked: list[str] = []
        self._deaf = set(deaf)

    def connect_tcp(self, host: str, *_: Any, **__: Any) -> httpcore.NetworkStream:
        self.asked.append(host)
        if host in self._deaf:
            raise httpcore.ConnectError
        return httpcore.MockStream([])


class Names:
    """A resolver whose answers are given, one for each time that it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)

    def __call__(self, _host: str, _port: int) -> list[str]:
        return self._answers.pop(0)


@pytest.mark.parametrize("name", PRIVATE)
def test_a_private_address_is_refused_and_not_connected_to(name: str) -> None:
    wire = Wire()
    assert not is_public(PRIVATE[name])
    with pytest.raises(PrivateAddress, match="no public address"):
        PublicOnly((), Names([PRIVATE[name]]), wire).connect_tcp("photos.example", 443)
    assert wire.asked == []


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_connected_to(address: str) -> None:
    wire = Wire()
    PublicOnly((), beneath=wire).connect_tcp(address, 443)  # a literal address: nobody is asked for it
    assert wire.asked == [address]


def test_one_private_address_among_several_is_enough() -> None:
    wire = Wire()
    with pytest.raises(PrivateAddress):
        PublicOnly((), Names([PUBLIC[0], "10.0.0.1"]), wire).connect_tcp("photos.example", 443)
    assert wire.asked == []


def test_a_name_that_leads_elsewhere_a_moment_later_is_connected_to_where_it_was_judged() -> None:
    wire = Wire()
    guard = PublicOnly((), Names([PUBLIC[0]], ["127.0.0.1"]), wire)
    guard.connect_tcp("photos.example", 443)
    assert wire.asked == [PUBLIC[0]], "the address itself, so that nobody resolves the name again"
    with pytest.raises(PrivateAddress):
        guard.connect_tcp("photos.example", 443)
    assert wire.asked == [PUBLIC[0]]


def test_a_host_that_the_connection_file_names_is_let_through_and_no_other() -> None:
    wire = Wire()
    guard = PublicOnly(("photos.intern",), Names(["10.0.0.1"], ["10.0.0.1"]), wire)
    guard.connect_tcp("photos.intern", 443)
    assert wire.asked == ["10.0.0.1"]
    with pytest.raises(PrivateAddress):
        guard.connect_tcp("ledger.intern", 443)


def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    wire = Wire(deaf=PUBLIC[:1])
    PublicOnly((), Names(list(PUBLIC[:2])), wire).connect_tcp("photos.example", 443)
    assert wire.asked == list(PUBLIC[:2])


def test_a_name_that_nobody_knows_is_a_failure_of_the_network() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(httpcore.ConnectError):
        PublicOnly((), unknown, Wire()).connect_tcp("photos.example", 443)


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302 if self.path == "/moved" else 200)
            self.send_header("location", "/photo")
            self.send_header("content-type", "image/png")
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            return

    listening = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}", asked
    listening.shutdown()
    listening.server_close()


def source(url: str, *private_hosts: str) -> HttpSource:
    connection = Connection(
        connection="pod", kind="pod", adapter="onfleet", owner="tests", base_url=url, private_hosts=private_hosts
    )  # fmt: skip
    return HttpSource(connection, "Bearer hush")


def test_a_file_is_fetched_from_a_private_host_that_is_named_and_from_no_other(
    server: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = server
    assert source(url, "127.0.0.1").get_file("/photo", 10) == (200, b"ok", "image/png")
    with pytest.raises(PrivateAddress):
        source(url).get_file("/photo", 10)
    monkeypatch.setattr(
        public_only.socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", 80))]
    )
    with pytest.raises(PrivateAddress):
        source(url.replace("127.0.0.1", "photos.example")).get_file("/photo", 10)
    assert asked == ["/photo"]


def test_nobody_is_followed_elsewhere(server: tuple[str, list[str]]) -> None:
    """Neither to a file nor to a list, where the credentials would go along."""
    url, asked = server
    own = source(url, "127.0.0.1")
    for ask in (lambda: own.get_file("/moved", 10), lambda: own.get_json("/moved", {})):
        with pytest.raises(SourceFailure, match="answered 302"):
            ask()
    assert asked == ["/moved"] * 2


def test_a_list_is_read_from_a_private_host_that_is_not_named(server: tuple[str, list[str]]) -> None:
    url, asked = server
    with pytest.raises(SourceFailure, match="image/png instead of JSON"):
        source(url).get_json("/rows", {})
    assert asked == ["/rows"], "a system in one's own network is an ordinary source"


def test_a_secret_that_the_file_does_not_name_is_a_clear_refusal() -> None:
    connection = Connection(
        connection="pod", kind="pod", adapter="onfleet", owner="tests", secrets={"token": "T"}
    )
    assert connection.secret_named("token") == "T"
    with pytest.raises(ConfigurationError, match="the secret api_key has no name") as refused:
        connection.secret_named("api_key")
    assert "secrets: {api_key: NAME}" in refused.value.remedy
