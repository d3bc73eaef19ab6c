"""A source that answers badly is named with what happened and what to do; nothing else is believed."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.connections import Connection
from core.settings import Settings
from ingestion.base import SourceFailure
from ingestion.http import HttpSource
from ingestion.pod.evidence import EvidenceFetcher, Wanted

JSON = {"content-type": "application/json", "date": "Fri, 13 Nov 2026 17:00:00 GMT"}
HTML = {"content-type": "text/html; charset=utf-8"}


@contextmanager
def _answering(*answers):
    """A server that gives the answers in turn, and the last one for ever; yields the source and the count."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = answers[min(len(asked), len(answers) - 1)]
            asked.append(self.path)
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body) + int(headers.get("x-cut", 0))))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    connection = Connection(
        connection="a_source", kind="pod", adapter="onfleet", owner="t",
        base_url=f"http://127.0.0.1:{server.server_port}",
        private_hosts=("127.0.0.1",),
    )  # fmt: skip
    source = HttpSource(connection, "Bearer hush-hush")
    try:
        yield source, asked
    finally:
        source.close()
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("answer", "word", "attempts"),
    [
        ((401, JSON, b"{}"), "credentials", 1),
        ((200, HTML, b"<html>login</html>"), "instead of JSON", 1),
        ((200, JSON, b'{"items": [{"id": '), "not whole JSON", 1),
        ((200, JSON, b"[" * 200_000), "not whole JSON", 1),
        ((404, JSON, b"{}"), "answered 404", 1),
        ((302, {**JSON, "location": "http://10.0.0.1/"}, b""), "answered 302", 1),
        ((503, {**JSON, "retry-after": "0"}, b""), "answered 503, 4 times", 4),
        ((200, {**JSON, "x-cut": "50"}, b'{"items": []}'), "cut its answer off, 4 times", 4),
    ],
)
def test_a_bad_answer_fails_with_its_own_words(answer, word, attempts):
    with _answering(answer) as (source, asked):
        with pytest.raises(SourceFailure) as failure:
            source.get_json("/things", {"token": "hush-hush"})
        assert word in failure.value.message
        assert failure.value.message.startswith("a_source: http://127.0.0.1:")
        assert "hush" not in str(failure.value)
        assert len(asked) == attempts


def test_a_busy_source_is_asked_again_and_its_clock_is_kept():
    with _answering((429, {**JSON, "retry-after": "0"}, b""), (200, JSON, b'{"n": 1.10}')) as (source, asked):
        assert str(source.get_json("/things", {})["n"]) == "1.10"
        assert len(asked) == 2
        assert source.clock is not None and source.clock.isoformat() == "2026-11-13T17:00:00+00:00"


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "http://127.0.0.1:1/x", "//10.1.2.3/x", "file:///etc/passwd"]
)
def test_evidence_elsewhere_is_refused_and_never_asked_for(tmp_path, url):
    with _answering((200, {"content-type": "image/png"}, b"x")) as (source, asked):
        fetcher = EvidenceFetcher(Settings(home=tmp_path), source)
        fetcher._have = set()
        wanted = Wanted("E-1", "P-1", "photo", url, None, None, "SO-1", "CN-1")
        (row,) = fetcher.rows([wanted])
        assert row.rejection is not None and row.rejection.reason == "URL_REFUSED"
        assert row.shipment_ref == "CN-1"
        assert asked == []


@pytest.mark.parametrize(("status", "told"), [(410, "expired"), (404, "missing")])
def test_evidence_that_is_gone_is_a_row_that_says_so(tmp_path, status, told):
    with _answering((status, JSON, b"{}")) as (source, _):
        fetcher = EvidenceFetcher(Settings(home=tmp_path), source)
        fetcher._have = set()
        (row,) = fetcher.rows([Wanted("E-1", "P-1", "photo", "/files/1", None, None, None, None)])
        assert row.fields is not None and row.fields["status"] == told
