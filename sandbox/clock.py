"""The world's clock: where the seeded world stands, plus the time the sandbox has run since.

Belongs here: reading the clock and keeping it across restarts. What becomes visible when is the servers' part.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

KEEP_EVERY_S = 1.0
_AHEAD_S = 5.0


@dataclass(frozen=True)
class WorldClock:
    """``origin`` (aware) is the world's time at ``started`` (CLOCK_MONOTONIC, which all processes share)."""

    origin: datetime
    started: float
    speed: float = 1.0

    def now(self) -> datetime:
        """The world's time, aware UTC with microseconds."""
        return self.origin + timedelta(seconds=(time.monotonic() - self.started) * self.speed)

    def http_date(self) -> bytes:
        """The time as the ``Date`` header wants it: GMT, whole seconds."""
        return format_datetime(self.now(), usegmt=True).encode("ascii")


def instant(moment: datetime) -> str:
    """``moment`` as the world's store writes it: UTC, six decimals, Z; sorts as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def start(world_now: datetime, file: Path, speed: float) -> WorldClock:
    """A clock that goes on where ``file`` says the last one stood."""
    elapsed = float(json.loads(file.read_text(encoding="utf-8"))["elapsed_s"]) if file.exists() else 0.0
    return WorldClock(world_now + timedelta(seconds=elapsed), time.monotonic(), speed)


def keep(clock: WorldClock, world_now: datetime, file: Path, *, running: bool) -> None:
    """Write the elapsed world seconds. A running clock writes ahead: it never goes back, even killed."""
    ahead = _AHEAD_S * clock.speed if running else 0.0
    elapsed = (clock.now() - world_now).total_seconds() + ahead
    draft = file.with_suffix(".tmp")
    draft.write_text(json.dumps({"elapsed_s": round(elapsed, 6)}), encoding="utf-8")
    draft.replace(file)
