"""The world's fixed calendar and how each dialect writes an instant. No randomness, no documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

START = datetime(2026, 10, 19, tzinfo=UTC)
GO_LIVE = datetime(2026, 11, 10, tzinfo=UTC)
NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
END = NOW + timedelta(hours=24)
QUIET = timedelta(minutes=30)
SITE = ZoneInfo("Europe/Berlin")
_FOLD = (datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC))


def iso(moment: datetime) -> str:
    """UTC with microseconds and Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def site(moment: datetime) -> str:
    """Naive, on the ERP site's clock."""
    return moment.astimezone(SITE).strftime("%Y-%m-%d %H:%M:%S.%f")


def ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def told_once(moment: datetime) -> datetime:
    """Out of the hour that the ERP's clock shows twice in autumn, so that only planted times are ambiguous."""
    return of_sure_age(moment + timedelta(hours=2) if _FOLD[0] <= moment < _FOLD[1] else moment)


def of_sure_age(moment: datetime) -> datetime:
    """Out of the half hours that are a day, three days and a week old at NOW or soon after: ages are told in these."""
    for days in (1, 3, 7):
        if timedelta(0) <= moment - (NOW - timedelta(days=days)) < QUIET:
            return moment + QUIET
    return moment


def visible(moment: datetime) -> datetime:
    """When a source shows what happened at ``moment``: nothing new in the first half hour after NOW."""
    return moment + QUIET if NOW < moment < NOW + QUIET else moment
