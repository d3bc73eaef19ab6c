"""GS1 EPCIS 2.0 over REST: events by record time, page by page behind the standard's ``Link``.

Belongs here: the query interface and the fields of an event. An event that was declared an error comes again under
its own id, with a later record time: it is one more version, and what stands in its place comes as any other.
``base_url`` is the repository's root; ids and links of things end with what their own system calls them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from core.connections import Connection
from core.settings import Settings, secret
from ingestion.base import Page, SourceRecord, Stream, Window
from ingestion.http import HttpSource
from ingestion.records import Fields, Furthest, filled, is_inside, record, start_of
from ingestion.times import Refused, Times

PATH = "/epcis/events"
PAGE_ROWS = 1000
_DELIVERY = ("desadv", "bol")
Event = dict[str, Any]


class EpcisAdapter:
    """Reads one repository; needs the secret ``token``."""

    def __init__(self, _settings: Settings, connection: Connection, window: Window | None) -> None:
        token = secret(connection.secret_named("token")).get_secret_value()
        self._http = HttpSource(connection, f"Bearer {token}")
        self._window = window

    @property
    def source_clock(self) -> datetime | None:
        """The repository's own time at its last answer."""
        return self._http.clock

    def streams(self) -> Sequence[Stream]:
        """One stream: delivery events."""
        return [Stream("delivery_events", ("delivery_events",))]

    def pages(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Events recorded since the cursor, oldest record first."""
        furthest, start = Furthest(cursor, self), start_of(cursor, self._window)
        parameters: dict[str, str | int] = {"perPage": PAGE_ROWS}
        if start is not None:
            parameters["GE_recordTime"] = start.astimezone(UTC).isoformat()
        while True:
            document, following = self._http.get_page(PATH, parameters)
            events = [each for each in self._events(document) if isinstance(each, dict)]
            for each in events:
                furthest.see(_recorded_at(each))
            inside = [each for each in events if is_inside(_recorded_at(each), self._window)]
            yield Page([_event(each) for each in inside], furthest.cursor)
            if following is None:
                return
            parameters = dict(following)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _events(self, document: dict[str, Any]) -> list[Any]:
        """The event list of a query document, or of a plain EPCIS document."""
        body = document.get("epcisBody") or {}
        results = (body.get("queryResults") or {}).get("resultsBody")
        return self._http.rows(PATH, results or body, "eventList")


def _recorded_at(event: Event) -> datetime | None:
    try:
        return Times().iso(event.get("recordTime"), "recordTime")
    except Refused:
        return None


def _event(event: Event) -> SourceRecord:
    key: Fields = {"event_id": event.get("eventID")}
    shipment = _shipment(event)

    def build() -> Fields:
        times, error = Times(), event.get("errorDeclaration") or {}
        place = event.get("bizLocation") or event.get("readPoint") or {}
        return key | {
            "event_type": event.get("type"),
            "action": filled(event.get("action")),
            "biz_step": _word(event.get("bizStep")),
            "disposition": _word(event.get("disposition")),
            "occurred_at": times.iso(event.get("eventTime"), "eventTime"),
            "tz_offset": filled(event.get("eventTimeZoneOffset")),
            "recorded_at": times.iso(event.get("recordTime"), "recordTime"),
            "consignment_id": shipment,
            "location_id": _last(place.get("id")),
            "status_code": _extension(event, "statusCode"),
            "reason_code": _extension(event, "reasonCode"),
            "error_declared_at": times.iso(error.get("declarationTime"), "declarationTime"),
            "error_reason": _word(error.get("reason")),
            "corrective_event_ids": " ".join(error.get("correctiveEventIDs") or []) or None,
        }

    return record("delivery_events", event, _recorded_at(event), build, key=key, shipment_ref=shipment)


def _shipment(event: Event) -> Any:
    """The load that the despatch advice or the bill of lading names."""
    for each in event.get("bizTransactionList") or []:
        if isinstance(each, dict) and _word(each.get("type")) in _DELIVERY:
            return _last(each.get("bizTransaction"))
    return None


def _last(name: Any) -> Any:
    """What stands behind the last slash or colon of a URI."""
    return name.replace("/", ":").rpartition(":")[2] or None if isinstance(name, str) else None


def _word(term: Any) -> Any:
    """A term of the vocabulary, bare as in the standard's JSON or at the end of its URI."""
    return _last(term.replace("CBV-", ":").replace("BizStep-", ":")) if isinstance(term, str) else term


def _extension(event: Event, name: str) -> Any:
    """A field of a vendor's own vocabulary, under whatever prefix."""
    found = [value for key, value in event.items() if key.endswith(f":{name}")]
    return filled(found[0]) if len(found) == 1 else None
