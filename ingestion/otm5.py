"""Open Trip Model 5 as every system speaks it: lists by change time, associations, free attributes.

Belongs here: what dispatch and TMS adapters share. Which collection fills which resource is theirs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ingestion.http import HttpSource
from ingestion.records import filled
from ingestion.times import Refused, Times

PAGE_ROWS = 1000
Entity = dict[str, Any]


def listed(http: HttpSource, collection: str, since: datetime | None, offset: int) -> tuple[list[Any], bool]:
    """A page of a collection through the documented list extension, and whether there is more."""
    path = f"/api/v5/{collection}"
    parameters: dict[str, str | int] = {"limit": PAGE_ROWS, "offset": offset}
    if since is not None:
        parameters["modifiedSince"] = since.astimezone(UTC).isoformat()
    document = http.get_json(path, parameters)
    rows = [each for each in http.rows(path, document, "items") if isinstance(each, dict)]
    return rows, document.get("hasMore") is True


def changed_at(entity: Entity, zone: str | None) -> datetime | None:
    """When the entity last changed; None when that cannot be read."""
    try:
        return Times(zone).iso(entity.get("lastModified"), "lastModified")
    except Refused:
        return None


def more_of(entity: Entity) -> Entity:
    """The free attributes."""
    found = entity.get("externalAttributes")
    return found if isinstance(found, dict) else {}


def inner_of(association: object) -> Entity:
    """What an association holds inline, else the thing itself."""
    if not isinstance(association, dict):
        return {}
    inner = association.get("entity")
    return inner if isinstance(inner, dict) else association


def named_by(association: object) -> Any:
    """The id that an association names, inline or by reference."""
    inner = inner_of(association)
    return filled(inner.get("uuid") or inner.get("id"))


def number(value: Any) -> Any:
    """A JSON number that need not be exact."""
    return None if value is None else float(value)
