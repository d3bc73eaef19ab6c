"""The depot's POD app: deliveries whose documents are behind links that expire after an hour.

Belongs here: paging by change time and the delivery's fields. Documents are fetched page by page, right after
their links were given out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from core.connections import Connection
from core.ids import canonical_json
from core.settings import Settings, secret
from ingestion.base import Page, SourceRecord, Stream, Window
from ingestion.http import HttpSource
from ingestion.paging import by_change
from ingestion.pod.evidence import EvidenceFetcher, Wanted
from ingestion.records import Fields, Furthest, filled, is_inside, record, reference, start_of
from ingestion.times import Refused, Times

PATH = "/v1/deliveries"
PAGE_ROWS = 200
_OUTCOMES = {"delivered": "succeeded", "partial": "partiallySucceeded", "failed": "failed"}
Delivery = dict[str, Any]


class SignedLinksAdapter:
    """Reads one depot; needs the secret ``token``."""

    def __init__(self, settings: Settings, connection: Connection, window: Window | None) -> None:
        token = secret(connection.secret_named("token")).get_secret_value()
        self._http = HttpSource(connection, f"Bearer {token}")
        self._zone = connection.time_zone if "time_zone" in connection.model_fields_set else None
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
        """Deliveries changed since the cursor, oldest change first."""
        furthest, start = Furthest(cursor, self), start_of(cursor, self._window)
        for found in by_change(self._list, self._changed_at, start, _without_links):
            for each in found:
                furthest.see(self._changed_at(each))
            inside = [each for each in found if is_inside(self._changed_at(each), self._window)]
            records = [row for each in inside for row in self._records(each)]
            wanted = [row for each in inside for row in self._wanted(each)]
            yield Page([*records, *self._evidence.rows(wanted)], furthest.cursor)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _list(self, since: datetime | None, offset: int) -> tuple[list[Any], bool]:
        parameters: dict[str, str | int] = {"page": offset // PAGE_ROWS + 1}
        if since is not None:
            parameters["updated_since"] = since.astimezone(UTC).isoformat()
        document = self._http.get_json(PATH, parameters)
        rows = [each for each in self._http.rows(PATH, document, "deliveries") if isinstance(each, dict)]
        return rows, document.get("next_page") is not None

    def _changed_at(self, delivery: Delivery) -> datetime | None:
        try:
            return Times(self._zone).iso(delivery.get("updated_at"), "updated_at")
        except Refused:
            return None

    def _records(self, delivery: Delivery) -> Iterator[SourceRecord]:
        changed, key = self._changed_at(delivery), {"pod_id": delivery.get("id")}

        def build() -> Fields:
            times, place = Times(self._zone), delivery.get("position") or {}
            status = delivery.get("status")
            return key | {
                "consignment_id": filled(delivery.get("shipment")),
                "outcome": _OUTCOMES.get(str(status), status),
                "captured_at": times.iso(delivery.get("captured_at"), "captured_at"),
                "received_at": times.iso(delivery.get("uploaded_at"), "uploaded_at"),
                "order_id": filled(delivery.get("order")),
                "signer": filled(delivery.get("signer")),
                "latitude": _number(place.get("lat")),
                "longitude": _number(place.get("lon")),
                "supersedes_id": filled(delivery.get("replaces")),
                "voided_at": times.iso(delivery.get("voided_at"), "voided_at"),
                "has_damage": delivery.get("damage") or False,
                "has_line_quantities": bool(delivery.get("lines")),
                "time_quality": times.quality,
            }

        about = {"order_ref": delivery.get("order"), "shipment_ref": delivery.get("shipment")}
        yield record("proofs", delivery, changed, build, key=key, **about)
        for row in delivery.get("lines") or []:
            fields = {
                "pod_line_id": row.get("id"),
                **key,
                "item_id": row.get("item"),
                "quantity": row.get("quantity"),
                "uom": row.get("uom"),
                "order_line_id": filled(row.get("order_line")),
            }
            yield record("delivered_lines", row, changed, partial(dict, fields), key=fields, **about)

    def _wanted(self, delivery: Delivery) -> Iterator[Wanted]:
        for each in delivery.get("documents") or []:
            yield Wanted(
                each.get("id"), delivery.get("id"), each.get("kind"), str(each.get("url") or ""),
                self._changed_at(delivery), reference(each.get("sha256")),
                reference(delivery.get("order")), reference(delivery.get("shipment")),
            )  # fmt: skip


def _without_links(delivery: Delivery) -> bytes:
    """The delivery as it is served every time: its links are new with each listing."""
    documents = [
        [each.get("id"), each.get("kind"), each.get("sha256")] for each in delivery.get("documents") or []
    ]
    return canonical_json(delivery | {"documents": documents})


def _number(value: Any) -> Any:
    return None if value is None else float(value)
