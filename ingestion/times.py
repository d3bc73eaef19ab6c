"""Vendors' times as instants: ISO texts, naive texts of a known zone, epoch milliseconds.

Belongs here: reading, and why a time cannot be read. Bounds are the contract's.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import cast

from core.clock import TimeQuality, localize
from ingestion.base import Rejection

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Refused(Exception):
    """A value that makes its row unusable."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.rejection = Rejection(reason, detail)


class Times:
    """Reads the times of one row; ``quality`` is the worst of what it met.

    ``zone`` is that of naive times. ``is_documented``: the vendor says so itself, nothing is assumed.
    """

    def __init__(self, zone: str | None = None, *, is_documented: bool = False) -> None:
        self._zone = zone
        self._is_documented = is_documented
        self.quality: TimeQuality = "exact"

    def iso(self, value: object, name: str) -> datetime | None:
        """An instant from text; a naive one is read in the zone. Refused with its reason."""
        if value is None or value == "":
            return None
        try:
            moment = datetime.fromisoformat(cast(str, value))
        except (TypeError, ValueError) as error:
            raise Refused("TIME_INVALID", f"{name}: {value!r} is no time") from error
        return self._aware(moment, f"{name}: {value!r}")

    def local_day(self, value: object, name: str) -> datetime | None:
        """Midnight at the start of a day, in the zone."""
        day = self.day(value, name)
        return None if day is None else self._aware(datetime.combine(day, time.min), name)

    def day(self, value: object, name: str) -> date | None:
        """A calendar day."""
        if value is None or value == "":
            return None
        try:
            return date.fromisoformat(cast(str, value)[:10])
        except (TypeError, ValueError) as error:
            raise Refused("TIME_INVALID", f"{name}: {value!r} is no day") from error

    def milliseconds(self, value: object, name: str) -> datetime | None:
        """An instant from epoch milliseconds, as a number or as its digits."""
        if value is None or value == "":
            return None
        try:
            return _EPOCH + timedelta(milliseconds=int(cast(str, value)))
        except (TypeError, ValueError, OverflowError) as error:
            raise Refused("TIME_INVALID", f"{name}: {value!r} is no time in milliseconds") from error

    def _aware(self, moment: datetime, what: str) -> datetime:
        try:
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
            if self._zone is None:
                raise Refused("TIME_NO_ZONE", f"{what} has no zone, and none is known")
            instant, quality = localize(moment, self._zone)
        except OverflowError as error:
            raise Refused("TIME_INVALID", f"{what} is outside the calendar") from error
        if quality == "gap":
            raise Refused("TIME_GAP", f"{what} was skipped by the clocks of {self._zone}")
        if quality == "ambiguous":
            self.quality = "ambiguous"
        elif self.quality == "exact" and not self._is_documented:
            self.quality = quality
        return instant
