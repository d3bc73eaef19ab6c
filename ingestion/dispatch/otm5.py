"""Open Trip Model 5 over REST: entities by change time, through the documented list extension.

Belongs here: which collection fills which resource. Field by field is ``otm5_fields`` and ``otm5_fleet``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from core.connections import Connection
from core.settings import Settings, secret
from ingestion.base import Page, SourceRecord, Stream, Window
from ingestion.dispatch import otm5_fields as fields
from ingestion.dispatch import otm5_fleet as fleet
from ingestion.http import HttpSource
from ingestion.known import known_parents_of_consignments
from ingestion.otm5 import changed_at, listed
from ingestion.paging import by_change
from ingestion.records import Furthest, is_inside, start_of
from ingestion.times import Times

_Make = Callable[[Sequence[dict[str, Any]], fields.Reader], list[SourceRecord]]

_STREAMS: dict[str, tuple[tuple[str, ...], _Make]] = {
    "locations": (("locations",), fields.locations),
    "vehicles": (("vehicles",), fleet.vehicles),
    "actors": (("drivers",), fleet.drivers),
    "trips": (("trips",), fields.trips),
    "routes": (("route_points",), fleet.route_points),
    "consignments": (("consignments", "consignment_lines", "consignment_charges"), fields.consignments),
    "actions": (("actions",), fields.actions),
}


class Otm5Adapter:
    """Reads one dispatch system; needs the secret ``token``."""

    def __init__(self, settings: Settings, connection: Connection, window: Window | None) -> None:
        token = secret(connection.secret_named("token")).get_secret_value()
        self._http = HttpSource(connection, f"Bearer {token}")
        self._zone = connection.time_zone if "time_zone" in connection.model_fields_set else None
        self._window = window
        self._settings = settings
        self._reader = fields.Reader(self._times, self._changed_at)

    @property
    def source_clock(self) -> datetime | None:
        """The system's own time at its last answer."""
        return self._http.clock

    def streams(self) -> Sequence[Stream]:
        """One stream a collection, parents first."""
        return [Stream(name, resources) for name, (resources, _) in _STREAMS.items()]

    def pages(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Entities changed since the cursor, oldest change first."""
        make = _STREAMS[stream.name][1]
        furthest = Furthest(cursor, self)
        if stream.name == "consignments":
            self._reader.parents.update(known_parents_of_consignments(self._settings, self._http.name))
        start = start_of(cursor, self._window)
        for found in by_change(partial(listed, self._http, stream.name), self._changed_at, start):
            for each in found:
                furthest.see(self._changed_at(each))
            inside = [each for each in found if is_inside(self._changed_at(each), self._window)]
            yield Page(make(inside, self._reader), furthest.cursor)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _times(self) -> Times:
        return Times(self._zone)

    def _changed_at(self, entity: dict[str, Any]) -> datetime | None:
        return changed_at(entity, self._zone)
