"""Arrival predictions in Open Trip Model 5: stop actions whose lifecycle is ``projected``.

Belongs here: the fields of such an action. Its start is the expected arrival, its creation the moment of issue; it is
an entity of its own for each prediction. Paging is dispatch's. Other lifecycles are dispatch's business and skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from core.connections import Connection
from core.settings import Settings, secret
from ingestion.base import Page, SourceRecord, Stream, Window
from ingestion.http import HttpSource
from ingestion.otm5 import changed_at, listed, more_of, named_by
from ingestion.paging import by_change
from ingestion.records import Fields, Furthest, filled, is_inside, record, start_of
from ingestion.times import Times

Entity = dict[str, Any]


class Otm5EtaAdapter:
    """Reads one TMS; needs the secret ``token``."""

    def __init__(self, _settings: Settings, connection: Connection, window: Window | None) -> None:
        token = secret(connection.secret_named("token")).get_secret_value()
        self._http = HttpSource(connection, f"Bearer {token}")
        self._zone = connection.time_zone if "time_zone" in connection.model_fields_set else None
        self._window = window

    @property
    def source_clock(self) -> datetime | None:
        """The system's own time at its last answer."""
        return self._http.clock

    def streams(self) -> Sequence[Stream]:
        """One stream: predictions."""
        return [Stream("eta_predictions", ("eta_predictions",))]

    def pages(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Predictions issued since the cursor, oldest first."""
        furthest, start = Furthest(cursor, self), start_of(cursor, self._window)
        changed = partial(changed_at, zone=self._zone)
        for found in by_change(partial(listed, self._http, "actions"), changed, start):
            for each in found:
                furthest.see(changed(each))
            inside = [each for each in found if is_inside(changed(each), self._window)]
            projected = [each for each in inside if each.get("lifecycle") == "projected"]
            yield Page([self._record(each) for each in projected], furthest.cursor)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _record(self, entity: Entity) -> SourceRecord:
        key: Fields = {"eta_id": entity.get("id")}
        more = more_of(entity)
        shipment = more.get("consignmentId") or named_by(entity.get("consignment"))

        def build() -> Fields:
            times = Times(self._zone)
            return key | {
                "stop_id": filled(more.get("stopId")) or named_by(entity.get("stop")),
                "trip_id": filled(more.get("tripId")) or named_by(entity.get("trip")),
                "consignment_id": filled(shipment),
                "issuer": more.get("issuer"),
                "issued_at": times.iso(entity.get("creationDate"), "creationDate"),
                "eta_at": times.iso(entity.get("startTime"), "startTime"),
            }

        version = changed_at(entity, zone=self._zone)
        return record("eta_predictions", entity, version, build, key=key, shipment_ref=shipment)
