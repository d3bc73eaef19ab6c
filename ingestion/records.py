"""From a vendor's row to a source record: what every adapter does the same way.

Belongs here: turning a mapping's refusal into a record that carries it, cursors of change times, and the
small readings of vendors' empty values. Field names of a vendor belong to its adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from ingestion.base import Rejection, SourceRecord, Window
from ingestion.strict_json import fault_of
from ingestion.times import Refused

OVERLAP = timedelta(minutes=5)
SKEW = OVERLAP / 5
"""So much a source's clock may be behind its change times: a header tells whole seconds. The overlap makes up for it."""
AHEAD = timedelta(hours=1)
"""What says that it changed later than this after the source's own time has not changed then."""
Fields = dict[str, Any]


def record(
    resource: str,
    raw: object,
    version: datetime | None,
    build: Callable[[], Fields],
    *,
    key: Fields,
    order_ref: object = None,
    shipment_ref: object = None,
) -> SourceRecord:
    """The row as ``build`` maps it; ``key`` names it when it cannot be mapped."""
    rejection: Rejection | None = None
    fields: Fields = key
    if (fault := fault_of(raw)) is not None:
        rejection = Rejection("FIELD_INVALID", fault)
    else:
        try:
            fields = build()
        except Refused as refused:
            rejection = refused.rejection
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            rejection = Rejection("FIELD_INVALID", f"the row has another shape than documented: {error}")
    return SourceRecord(
        resource=resource,
        raw=raw if isinstance(raw, Mapping) else {"row": raw},
        version=version,
        fields=fields,
        rejection=rejection,
        order_ref=reference(order_ref),
        shipment_ref=reference(shipment_ref),
    )


def reference(value: object) -> str | None:
    """An id as text, for naming what a refused row speaks of."""
    return None if value is None or value == "" else str(value)


def filled(value: Any) -> Any:
    """The value, None for an empty text."""
    return None if value == "" else value


def flag(value: Any) -> Any:
    """0 and 1 as a boolean, nothing as false; anything else is left for the contract to refuse."""
    if value is None:
        return False
    return bool(value) if isinstance(value, int) and value in (0, 1) else value


def start_of(cursor: str | None, window: Window | None) -> datetime | None:
    """Where to begin: the window's start, else the cursor with overlap, else at the beginning."""
    if window is not None:
        return window[0]
    return None if cursor is None else datetime.fromisoformat(cursor) - OVERLAP


def is_inside(version: datetime | None, window: Window | None) -> bool:
    """Whether a row belongs to what is read; without a window all do."""
    return window is None or version is None or window[0] <= version < window[1]


def in_time(record: SourceRecord, clock: datetime | None) -> SourceRecord:
    """The record, refused when it says that it changed long after the source's own time: nothing newer would count."""
    if clock is None or record.version is None or record.rejection or record.version <= clock + AHEAD:
        return record
    told = f"changed at {record.version.isoformat()}, and the source's own time is {clock.isoformat()}"
    return replace(record, rejection=Rejection("CHANGED_IN_FUTURE", told))


def is_in_future(cursor: str | None, clock: datetime | None) -> bool:
    """Whether a cursor of change times lies after the source's own time: its clock was set back, or had been believed too much."""
    try:
        at = None if cursor is None else datetime.fromisoformat(cursor)
    except ValueError:  # the vendor's own word, which is no time
        return False
    # Neither is one that only looks like a day: a time of ours has its zone.
    return at is not None and at.tzinfo is not None and clock is not None and at > clock + SKEW


class Clocked(Protocol):
    """A source and its own time at its last answer."""

    @property
    def source_clock(self) -> datetime | None: ...


class Furthest:
    """The latest change time seen, as a cursor, and never past the source's own time at its first answer: whatever changes after
    that is still to come, also where one row says that it has changed in another year."""

    def __init__(self, cursor: str | None, source: Clocked) -> None:
        self._at = None if cursor is None else datetime.fromisoformat(cursor)
        self._source = source
        self._began: datetime | None = None

    def see(self, at: datetime | None) -> None:
        """Move forward, never back."""
        self._began = self._began or self._source.source_clock
        if at is not None and self._began is not None and at > self._began + SKEW:
            at = self._began
        if at is not None and (self._at is None or at > self._at):
            self._at = at

    @property
    def cursor(self) -> str | None:
        """ISO text in UTC; None when nothing was seen yet."""
        return None if self._at is None else self._at.astimezone(UTC).isoformat()
