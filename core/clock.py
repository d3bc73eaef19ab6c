"""Instants: UTC with a zone, always. Turning local wall times into instants is done here and nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import ConfigurationError

TimeQuality = Literal["exact", "assumed_zone", "gap", "ambiguous"]


def utc_now() -> datetime:
    """The machine's own clock, in UTC. Business time comes from the sources' clock instead."""
    return datetime.now(UTC)


def zone(name: str) -> ZoneInfo:
    """The IANA zone ``name``; ConfigurationError when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            f"{name!r} is not an IANA time zone.", remedy="Use a name such as Europe/Berlin."
        ) from error


def localize(naive: datetime, zone_name: str) -> tuple[datetime, TimeQuality]:
    """The UTC instant of a wall time in a zone, and how sure one can be of it.

    ``gap``: the clock never showed this time (spring); ``ambiguous``: it showed it twice (autumn), the
    earlier is returned; otherwise ``assumed_zone``, because the source did not say the zone itself.
    """
    tz = zone(zone_name)
    first = naive.replace(tzinfo=tz, fold=0).astimezone(UTC)
    second = naive.replace(tzinfo=tz, fold=1).astimezone(UTC)
    if first == second:
        return first, "assumed_zone"
    if first.astimezone(tz).replace(tzinfo=None) != naive:
        return first, "gap"
    return first, "ambiguous"
