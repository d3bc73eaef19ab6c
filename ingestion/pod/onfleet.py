"""Onfleet tasks: completed ones are proofs; lines and references travel in the task's metadata.

Belongs here: paging by ``lastId`` and the task's fields. The list is ordered by id, so its cursor, the latest
change seen, moves only when it was read to its end.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from core.connections import Connection
from core.settings import Settings, secret
from ingestion.base import Page, SourceRecord, Stream, Window
from ingestion.http import HttpSource
from ingestion.pod.evidence import EvidenceFetcher, Wanted
from ingestion.records import Fields, Furthest, flag, is_inside, record, reference, start_of
from ingestion.strict_json import JsonRefused, loads
from ingestion.times import Refused, Times

PATH = "/api/v2/tasks/all"
Task = dict[str, Any]


class OnfleetAdapter:
    """Reads one organisation; needs the secret ``api_key``."""

    def __init__(self, settings: Settings, connection: Connection, window: Window | None) -> None:
        pair = f"{secret(connection.secret_named('api_key')).get_secret_value()}:".encode()
        self._http = HttpSource(connection, f"Basic {base64.b64encode(pair).decode()}")
        self._evidence = EvidenceFetcher(settings, self._http)
        self._window = window

    @property
    def source_clock(self) -> datetime | None:
        """The app's own time at its last answer."""
        return self._http.clock

    def streams(self) -> Sequence[Stream]:
        """One stream: proofs with their lines and evidence."""
        return [Stream("proofs", ("proofs", "delivered_lines", "evidence"))]

    def pages(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Tasks changed since the cursor that were completed or failed."""
        furthest = Furthest(cursor, self)
        since = start_of(cursor, self._window) or datetime(1990, 1, 1, tzinfo=UTC)
        parameters: dict[str, str | int] = {"from": int(since.timestamp() * 1000)}
        while True:
            document = self._http.get_json(PATH, parameters)
            tasks = [each for each in self._http.rows(PATH, document, "tasks") if isinstance(each, dict)]
            for each in tasks:
                furthest.see(_changed_at(each))
            last = document.get("lastId")
            yield Page(self.records(tasks), None if last else furthest.cursor)
            if not last:
                return
            parameters["lastId"] = last

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def records(self, tasks: Sequence[Task]) -> list[SourceRecord]:
        """The rows of tasks that were completed or failed, however the tasks came; their documents are fetched."""
        records: list[SourceRecord] = []
        wanted: list[Wanted] = []
        for task in tasks:
            changed, more = _changed_at(task), _metadata(task)
            if not (task.get("completionDetails") or {}).get("time") or not is_inside(changed, self._window):
                continue
            lines = _json(more.get("delivered_lines"))
            records.append(_proof(task, changed, more, lines))
            records.extend(_line(each, task, changed, more) for each in lines or [])
            wanted.extend(_wanted(task, changed, more))
        return [*records, *self._evidence.rows(wanted)]


def _proof(
    task: Task, changed: datetime | None, more: dict[str, Any], lines: list[Any] | None
) -> SourceRecord:
    key = {"pod_id": task.get("id")}

    def build() -> Fields:
        times, done = Times(), task["completionDetails"]
        place = done.get("lastLocation") or (task.get("destination") or {}).get("location") or [None, None]
        received = more.get("received_at", task.get("timeLastModified"))
        return key | {
            "consignment_id": more.get("consignment_id"),
            "outcome": _outcome(done.get("success"), more.get("outcome")),
            "captured_at": times.milliseconds(done.get("time"), "completionDetails.time"),
            "received_at": times.milliseconds(received, "received_at"),
            "order_id": more.get("order_id"),
            "failure_reason": done.get("failureReason") or None,
            "signer": more.get("signer"),
            "latitude": None if place[1] is None else float(place[1]),
            "longitude": None if place[0] is None else float(place[0]),
            "supersedes_id": more.get("supersedes_task_id") or None,
            "voided_at": times.milliseconds(more.get("voided_at"), "voided_at"),
            "has_damage": flag(more.get("damage")),
            "has_line_quantities": lines is not None,
            "time_quality": times.quality,
        }

    return record("proofs", task, changed, build, key=key, order_ref=more.get("order_id"),
                  shipment_ref=more.get("consignment_id"))  # fmt: skip


def _line(row: Any, task: Task, changed: datetime | None, more: dict[str, Any]) -> SourceRecord:
    def build() -> Fields:
        return {
            "pod_line_id": row.get("id"),
            "pod_id": task.get("id"),
            "item_id": row.get("item_id"),
            "quantity": row.get("quantity"),
            "uom": row.get("uom"),
            "order_line_id": row.get("order_line_id") or None,
        }

    key = {"pod_line_id": row.get("id") if isinstance(row, dict) else None, "pod_id": task.get("id")}
    return record("delivered_lines", row, changed, build, key=key, order_ref=more.get("order_id"),
                  shipment_ref=more.get("consignment_id"))  # fmt: skip


def _wanted(task: Task, changed: datetime | None, more: dict[str, Any]) -> Iterator[Wanted]:
    done = task["completionDetails"]
    declared = _json(more.get("evidence_sha256")) or {}
    named = [("photo", each) for each in done.get("photoUploadIds") or []]
    if done.get("signatureUploadId"):
        named.append(("signature", done["signatureUploadId"]))
    for kind, upload in named:
        yield Wanted(
            upload, task.get("id"), kind, f"/cdn/uploads/{upload}", changed, declared.get(upload),
            reference(more.get("order_id")), reference(more.get("consignment_id")),
        )  # fmt: skip


def _outcome(success: object, stated: object) -> Any:
    """A failed task is failed whatever its metadata say."""
    if success is True:
        return "partiallySucceeded" if stated == "partial" else "succeeded"
    return "failed" if success is False else success


def _metadata(task: Task) -> dict[str, Any]:
    found = task.get("metadata")
    rows = found if isinstance(found, list) else []
    return {each["name"]: each.get("value") for each in rows if isinstance(each, dict) and "name" in each}


def _json(text: object) -> Any:
    """JSON that travels as text; None when it is not there or cannot be read."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return loads(text)
    except JsonRefused:
        return None


def _changed_at(task: Task) -> datetime | None:
    try:
        return Times().milliseconds(task.get("timeLastModified"), "timeLastModified")
    except Refused:
        return None
