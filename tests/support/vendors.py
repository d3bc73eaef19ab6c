"""Five vendors' APIs as one small server whose rows are given byte by byte, and the intake that reads them.

Belongs here: answering lists in each vendor's envelope, exactly as told, and looking at what became of them. What
a row should become is the tests' business.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from core.connections import Connection
from core.ids import sha256_hex
from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion.run import ensure_warehouse, ingest
from ingestion.sorting import Counts
from state import dead_letters
from state.dead_letters import DeadLetter
from state.engine import open_state

NOW = datetime(2026, 11, 13, 12, tzinfo=UTC)
Row = Mapping[str, Any] | bytes
SYSTEMS: dict[str, dict[str, Any]] = {
    "erp": {"kind": "erp", "adapter": "frappe", "time_zone": "Europe/Berlin"},
    "dispatch": {"kind": "dispatch", "adapter": "otm5"},
    "dispatch_de": {"kind": "dispatch", "adapter": "otm5", "time_zone": "Europe/Berlin"},
    "telematics": {"kind": "telematics", "adapter": "samsara"},
    "pod": {"kind": "pod", "adapter": "onfleet"},
    "depot_pod": {"kind": "pod", "adapter": "signed_links", "time_zone": "Europe/Lisbon"},
}
SECRETS = ("api_key", "api_secret", "token")


def text(row: Row) -> bytes:
    """A row's bytes: as given, or as JSON."""
    return row if isinstance(row, bytes) else json.dumps(row).encode()


class Vendors:
    """``lists``: rows by collection (doctype, entity, ``vehicles``, ``safety_events``, ``tasks``, ``deliveries``); ``files`` by path."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.lists: defaultdict[str, list[Row]] = defaultdict(list)
        self.files: dict[str, tuple[str, bytes]] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.now = NOW

    def answer(self, target: str) -> tuple[int, str, bytes]:
        parts = urlsplit(target)
        path, query = unquote(parts.path), parse_qs(parts.query)
        self.asked.append(path)
        if path in self.files:
            return 200, *self.files[path]
        if path.startswith("/api/resource/"):
            return 200, "application/json", b'{"data": [%s]}' % self._frappe(path.rsplit("/", 1)[1], query)
        envelopes = {
            "/fleet/vehicles/stats/feed": (
                "vehicles",
                b'{"data": [%s], "pagination": {"hasNextPage": false}}',
            ),
            "/safety-events/stream": (
                "safety_events",
                b'{"data": [%s], "pagination": {"hasNextPage": false}}',
            ),
            "/api/v2/tasks/all": ("tasks", b'{"tasks": [%s]}'),
            "/v1/deliveries": ("deliveries", b'{"deliveries": [%s], "next_page": null}'),
        }
        if path.startswith("/api/v5/"):
            collection = path.rsplit("/", 1)[1]
            return 200, "application/json", b'{"items": [%s], "hasMore": false}' % self._rows(collection)
        if path in envelopes:
            collection, envelope = envelopes[path]
            return 200, "application/json", envelope % self._rows(collection)
        return 404, "application/json", b"{}"

    def _rows(self, collection: str) -> bytes:
        return b", ".join(map(text, self.lists[collection]))

    def _frappe(self, doctype: str, query: dict[str, list[str]]) -> bytes:
        if "parent" not in query:
            return self._rows(doctype)
        [[_, _, wanted]] = json.loads(query["filters"][0])
        rows = [text(each) for each in self.lists[doctype]]
        return b", ".join(each for each in rows if json.loads(each)["parent"] in wanted)


@contextmanager
def vendors() -> Iterator[Vendors]:
    """The server, for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = known.answer(self.path)
            self.send_response_only(status)
            headers = {"content-type": kind, "date": format_datetime(known.now, usegmt=True)}
            for name, value in (headers | known.headers.get(unquote(self.path), {})).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = Vendors(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()


class Intake:
    """One installation that reads the vendors, and what became of every row."""

    def __init__(self, home: Path, told: Vendors, patch: pytest.MonkeyPatch) -> None:
        self.settings = Settings(home=home)
        self.engine = open_state(self.settings)
        self.vendors = told
        self.runs = 0
        for each in SECRETS:
            patch.setenv(f"BAD_INPUTS_{each.upper()}", "hush")
        ensure_warehouse(self.settings, self.engine)

    def read(self, system: str) -> dict[str, Counts]:
        """One reading of one system; the counts by resource, each of which adds up."""
        secrets = {each: f"BAD_INPUTS_{each.upper()}" for each in SECRETS}
        self.runs += 1
        return self._counted(
            Connection(
                connection=system,
                owner="tests",
                base_url=self.vendors.url,
                secrets=secrets,
                private_hosts=("127.0.0.1",),
                **SYSTEMS[system],
            )
        )

    def read_files(self, connection: Connection) -> dict[str, Counts]:
        """The same for a folder of files."""
        self.runs += 1
        return self._counted(connection)

    def _counted(self, connection: Connection) -> dict[str, Counts]:
        counts = ingest(self.settings, self.engine, connection, f"run-{self.runs}")
        for each in counts:
            parts = each.loaded + each.dead_lettered + each.duplicate + each.parked
            assert each.rows_in == parts, each
        return {each.resource: each for each in counts}

    def letters(self, status: str = "open") -> list[DeadLetter]:
        found = dead_letters.with_status(self.engine, status)
        for each in found:
            assert each.raw_sha256 == sha256_hex(each.raw) or b'"sha256"' in each.raw, each.detail
        return found

    def letter(self, row: Row, resource: str, status: str = "open") -> DeadLetter:
        """The one letter of a row, found by the bytes that came."""
        [found] = [
            each for each in self.letters(status) if (each.resource, each.raw) == (resource, text(row))
        ]
        return found

    def rows(self, kind: str, resource: str, source_id: str) -> list[dict[str, Any]]:
        """What is loaded under an id, oldest version first."""
        with open_warehouse(self.settings, "test") as warehouse:
            found = warehouse.execute(
                f"SELECT * FROM raw_{kind}.{resource} WHERE source_id = ? ORDER BY source_version",
                [source_id],
            ).to_arrow_table()
        rows: list[dict[str, Any]] = found.to_pylist()
        return rows
