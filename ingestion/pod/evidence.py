"""Fetching a POD's documents while their links still work, many at a time, from the connection's own host only.

Belongs here: which address is asked, and what an answer means for the evidence row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import httpx

from contracts.resources import resource
from core.clock import utc_now
from core.settings import Settings
from ingestion.base import SourceRecord
from ingestion.http import HttpSource, TooLarge
from ingestion.known import Version, known_versions
from ingestion.public_only import PrivateAddress
from ingestion.records import Fields, record
from ingestion.times import Refused
from state.vault import mime_type, objection, seal, sync_folders

AT_ONCE = 12
LARGEST_FILE = 20 * 1024 * 1024
# A folder above, as it stands or percent-encoded, and a Windows path.
_WAY_UP = re.compile(r"(?:^|/|%2f)(?:\.|%2e){2}(?:/|%2f|$)|\\|%5c", re.IGNORECASE)
_STATUS = {404: "missing", 403: "missing", 410: "expired"}


@dataclass(frozen=True)
class Wanted:
    """One document of a POD: ``url`` as the app gave it, or a path on the app's own host."""

    document_id: Any
    pod_id: Any
    kind: str
    url: str
    version: datetime | None
    declared_sha256: str | None
    order_ref: str | None
    shipment_ref: str | None

    @property
    def evidence_id(self) -> str:
        """Unique per POD: a second proof may show the same document."""
        return f"{self.pod_id}|{self.document_id}"


class EvidenceFetcher:
    """Fetches and seals; what the warehouse has of an unchanged POD is not asked for again."""

    def __init__(self, settings: Settings, http: HttpSource) -> None:
        self._settings = settings
        self._http = http
        self._own = httpx.URL(http.base_url)
        self._have: set[Version] | None = None

    def rows(self, wanted: Sequence[Wanted]) -> Iterator[SourceRecord]:
        """An evidence row for each document that is new; SourceFailure when the host does not answer."""
        if self._have is None:
            self._have = known_versions(self._settings, resource("pod", "evidence"), self._http.name)
        new = []
        for each in wanted:
            if each.version is None or (each.evidence_id, each.version) not in self._have:
                new.append(each)
            if each.version is not None:
                self._have.add((each.evidence_id, each.version))
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="evidence") as pool:
            rows = list(pool.map(self._row, new))
        sealed = [each.fields["sha256"] for each in rows if each.fields and each.fields.get("sha256")]
        sync_folders(self._settings, sealed)
        yield from rows

    def _row(self, wanted: Wanted) -> SourceRecord:
        key = {"evidence_id": wanted.evidence_id, "pod_id": wanted.pod_id}
        raw = key | {
            "kind": wanted.kind,
            "url": wanted.url.partition("?")[0],
            "sha256": wanted.declared_sha256,
        }
        return record(
            "evidence", raw, wanted.version, partial(self._fields, wanted, key), key=key,
            order_ref=wanted.order_ref, shipment_ref=wanted.shipment_ref,
        )  # fmt: skip

    def _fields(self, wanted: Wanted, key: Fields) -> Fields:
        try:
            status, content, kind = self._http.get_file(self._address(wanted.url), LARGEST_FILE)
        except TooLarge as error:
            raise Refused("EVIDENCE_REJECTED", f"the file has {error}") from error
        except PrivateAddress as error:
            raise Refused("URL_REFUSED", str(error)) from error
        fields = key | {
            "kind": wanted.kind,
            "declared_sha256": wanted.declared_sha256,
            "fetched_at": self._http.clock or utc_now(),
        }
        if status != httpx.codes.OK:
            return fields | {"status": _STATUS.get(status, "missing"), "reason": f"the app answered {status}"}
        wrong = objection(content, kind, wanted.url)
        if wrong is not None:
            raise Refused("EVIDENCE_REJECTED", wrong)
        digest = seal(self._settings, content)
        if wanted.declared_sha256 and wanted.declared_sha256.lower() != digest:
            sync_folders(self._settings, [digest])
            raise Refused(
                "EVIDENCE_HASH_MISMATCH",
                f"declared as {wanted.declared_sha256[:80]}, but the file, kept under seal, is {digest}",
            )
        return fields | {
            "status": "sealed",
            "sha256": digest,
            "mime_type": mime_type(content),
            "size_bytes": len(content),
        }

    def _address(self, url: str) -> str:
        """The address when it is on the connection's own host; refused, and never asked, otherwise."""
        if _WAY_UP.search(url):
            raise Refused("URL_REFUSED", f"{url[:80]!r} leads out of the app's own folder")
        try:
            address = self._own.join(url)
        except httpx.InvalidURL as error:
            raise Refused("URL_REFUSED", f"{url[:80]!r} is no address") from error
        asked, own = ((each.scheme, each.host, each.port) for each in (address, self._own))
        if asked != own or address.userinfo:
            raise Refused(
                "URL_REFUSED", f"{address.host!r} is not the connection's own host {self._own.host!r}"
            )
        return str(address)
