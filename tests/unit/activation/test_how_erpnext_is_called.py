"""What leaves for ERPNext: to the very address of its file, under quoted names, and through the proxy that is named."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import httpcore
import httpx
import pytest

from activation.destinations.base import NotAppliedError, RefusedError, UncertainError
from activation.destinations.frappe_rest import FrappeRest, _pool_to, _proxy_to
from core.connections import Connection


class Site(BaseHTTPRequestHandler):
    """Answers ``answer`` to everything and notes what it was asked."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, str | None, str | None]]] = []
    answer: ClassVar[bytes] = b'{"data": {"name": "X"}}'
    status: ClassVar[int] = 200

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        self.asked.append((self.requestline, self.headers.get("Content-Type"), body or None))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    do_POST = do_PUT = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def rest(monkeypatch: pytest.MonkeyPatch) -> Iterator[FrappeRest]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    Site.asked.clear()
    monkeypatch.setattr(Site, "answer", b'{"data": {"name": "X"}}')
    thread = Thread(target=server.serve_forever)
    thread.start()
    rest = FrappeRest(connection(f"http://127.0.0.1:{server.server_port}/erp/", monkeypatch))
    yield rest
    rest.close()
    server.shutdown()
    server.server_close()
    thread.join()


def connection(base_url: str, monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.setenv("A_KEY", "key")
    monkeypatch.setenv("A_SECRET", "secret")
    secrets = {"api_key": "A_KEY", "api_secret": "A_SECRET"}
    return Connection(
        connection="erp", kind="erp", adapter="frappe", owner="f", base_url=base_url, secrets=secrets
    )


def test_a_name_and_an_address_with_a_path_stay_what_they_are(rest: FrappeRest) -> None:
    rest.one("Sales Invoice", "SINV 1?#ä")
    rest.change("Sales Invoice", "SINV-1", {"docstatus": 1})
    assert Site.asked == [
        ("GET /erp/api/resource/Sales%20Invoice/SINV%201%3F%23%C3%A4 HTTP/1.1", None, None),
        (
            "PUT /erp/api/resource/Sales%20Invoice/SINV-1 HTTP/1.1",
            "application/json",
            json.dumps({"docstatus": 1}),
        ),
    ]


def test_a_list_that_is_none_is_not_taken_for_an_empty_one(
    rest: FrappeRest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UncertainError, match="not its own JSON"):
        rest.listed("Sales Invoice", fields="[]")
    monkeypatch.setattr(Site, "answer", b'{"data": [{"name": "X"}]}')
    assert rest.listed("Sales Invoice", fields="[]") == [{"name": "X"}]
    monkeypatch.setattr(Site, "answer", b'{"data": ["X"]}')
    with pytest.raises(UncertainError, match="not its own JSON"):
        rest.listed("Sales Invoice", fields="[]")


@pytest.mark.parametrize(
    ("answer", "told"),
    [(b'{"exc_type": "PartyDisabled"}', "PartyDisabled"), (b"[1]", "417 $"), (b"<html>", "no reason given")],
    ids=["its own words", "a list", "a page"],
)
def test_a_refusal_is_one_whatever_the_answer_says(
    rest: FrappeRest, monkeypatch: pytest.MonkeyPatch, answer: bytes, told: str
) -> None:
    monkeypatch.setattr(Site, "status", 417)
    monkeypatch.setattr(Site, "answer", answer)
    with pytest.raises(RefusedError) as refused:
        rest.create("Sales Invoice", {})
    assert re.search(told, refused.value.message)


@pytest.mark.parametrize("cut", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b"", b"what\r\n\r\n"])
def test_an_answer_that_is_cut_leaves_it_uncertain(monkeypatch: pytest.MonkeyPatch, cut: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        rest = FrappeRest(connection(f"http://127.0.0.1:{server.getsockname()[1]}", monkeypatch))
        with ThreadPoolExecutor(1) as pool:
            answered = pool.submit(_answer, server, cut)
            with pytest.raises(UncertainError, match="gave no answer to POST"):
                rest.create("Sales Invoice", {})
            answered.result()
        rest.close()


def _answer(server: socket.socket, answer: bytes) -> None:
    taken, _ = server.accept()
    with taken:
        taken.recv(65536)
        taken.sendall(answer)


def test_nobody_there_is_proven_not_to_have_applied_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rest = FrappeRest(connection("http://127.0.0.1:9", monkeypatch))
    with pytest.raises(NotAppliedError, match="does not accept connections"):
        rest.create("Sales Invoice", {})
    rest.close()


@pytest.mark.parametrize(
    ("site", "proxy"),
    [("http://erp.example", "http://proxy.example:3128"), ("https://erp.example", None), ("http://near.example", None)],
)  # fmt: skip
def test_the_proxy_of_the_environment_is_used_and_its_exceptions_are_kept(
    monkeypatch: pytest.MonkeyPatch, site: str, proxy: str | None
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "near.example")
    assert _proxy_to(httpx.URL(site)) == proxy
    with _pool_to(httpx.URL(site)) as pool:
        assert isinstance(pool, httpcore.HTTPProxy) == (proxy is not None)
