"""Open Trip Model 5 over HTTP: lists by ``modifiedSince`` with offset and ``hasMore``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.connections import Connection
from core.settings import Settings, secret
from ingestion.base import Page, Stream, Window
from ingestion.dispatch import otm5_mapping as mapping
from ingestion.http import HttpSource

PAGE = 500
OVERLAP = timedelta(minutes=5)


@dataclass(frozen=True)
class Collection:
    """One OTM collection, the resources it fills and how."""

    name: str
    resources: tuple[str, ...]
    records: mapping.Mapper


COLLECTIONS = (
    Collection("locations", ("locations",), mapping.locations),
    Collection("vehicles", ("vehicles",), mapping.vehicles),
    Collection("trips", ("trips",), mapping.trips),
    Collection(
        "consignments",
        ("consignments", "consignment_lines", "consignment_charges"),
        mapping.consignments,
    ),
    Collection("actions", ("actions",), mapping.actions),
)


class Otm5Adapter:
    """One dispatch system as a source."""

    def __init__(self, settings: Settings, connection: Connection, window: Window | None) -> None:
        token = secret(connection.secrets["token"]).get_secret_value()
        self._source = HttpSource(connection, {"Authorization": f"Bearer {token}"})
        self._zone = connection.time_zone
        self._window = window

    @property
    def source_clock(self) -> datetime | None:
        return self._source.clock

    def streams(self) -> Sequence[Stream]:
        return [Stream(each.name, each.resources) for each in COLLECTIONS]

    def pages(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        collection = next(each for each in COLLECTIONS if each.name == stream.name)
        since = self._since(cursor)
        offset = 0
        while True:
            parameters = {"limit": str(PAGE), "offset": str(offset)}
            parameters |= {"modifiedSince": since.isoformat()} if since else {}
            answer = self._source.get_json(f"/api/v5/{collection.name}", parameters)
            entities = [each for each in answer["items"] if self._in_window(each.get("lastModified"))]
            newest = max((str(each.get("lastModified")) for each in entities), default=None)
            yield Page(list(collection.records(entities, self._zone)), cursor=newest)
            if not answer["hasMore"]:
                return
            offset += PAGE

    def close(self) -> None:
        self._source.close()

    def _since(self, cursor: str | None) -> datetime | None:
        if self._window:
            return self._window[0]
        return datetime.fromisoformat(cursor) - OVERLAP if cursor else None

    def _in_window(self, modified: object) -> bool:
        if self._window is None or not isinstance(modified, str):
            return True
        return datetime.fromisoformat(modified) < self._window[1]
