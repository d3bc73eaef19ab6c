"""Lorries on the map: what their units send while they visit places, jitter at borders, stand, creep, leave their way
and fall silent; around midnight, doubled, late, in no order, and heard by two systems.

Belongs here: positions. What dispatch says of the same trips is in ``tours``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.support.random_worlds.world import AS_OF, RandomWorld, midnight, version

METRES = 111_195.08
"""A degree of latitude."""
BASES = ((53.0, 10.01), (-41.2, 174.7), (69.6, 18.9), (-16.8, 179.999), (0.001, -0.02), (40.7, -74.0))
"""Where the worlds lie: also on the antimeridian, on the equator and where a degree of longitude is short."""
SPOTS = {"X0": (0, 0), "X1": (6_000, 9_000), "X2": (6_000, 9_380), "X3": (12_000, 4_000)}
"""Places in metres east and north of the base; the wider circles of two of them overlap."""
Point = tuple[float, float]


@dataclass
class Track:
    """What one unit was heard to do: its fixes, and the times at which it stayed at places."""

    dice: Random
    base: Point
    moment: datetime
    here: Point = (0.0, 0.0)
    fixes: list[dict[str, Any]] = field(default_factory=list)
    stays: list[tuple[str, datetime, datetime]] = field(default_factory=list)

    def degrees(self) -> Point:
        east, north = self.here
        latitude = self.base[0] + north / METRES
        longitude = self.base[1] + east / METRES / math.cos(math.radians(self.base[0]))
        return latitude, (longitude + 180) % 360 - 180

    def fix(self, seconds: float) -> None:
        self.moment += timedelta(seconds=round(seconds))
        latitude, longitude = self.degrees()
        self.fixes.append({"positioned_at": self.moment, "latitude": latitude, "longitude": longitude})

    def pause(self) -> int:
        return self.dice.choice((15, 30, 60, 60, 90, 180))

    def shake(self, spot: Point, metres: float) -> None:
        self.here = (spot[0] + self.dice.gauss(0, metres), spot[1] + self.dice.gauss(0, metres))


def drive(track: Track, to: Point, *, kmh: float = 60.0) -> None:
    while (left := math.dist(track.here, to)) > 1:
        seconds = track.pause()
        share = min(1.0, kmh / 3.6 * seconds / left)
        track.here = tuple(a + (b - a) * share for a, b in zip(track.here, to, strict=True))  # type: ignore[assignment]
        track.fix(seconds)


def stay(track: Track, name: str, *, seconds: int, metres: float) -> None:
    """Near a place; with many metres of noise on both sides of its borders."""
    began = track.moment
    while (track.moment - began).total_seconds() < seconds:
        track.shake(SPOTS[name], metres)
        track.fix(track.pause())
    track.stays.append((name, began, track.moment))


def round_the_corner(track: Track, name: str, seconds: int) -> None:
    """Away from a place for so long, to the second, and there again."""
    spot = SPOTS[name]
    track.shake(spot, 20)
    track.fix(20)
    track.here = (spot[0] + 700, spot[1])
    track.fix(seconds // 2)
    track.shake(spot, 20)
    track.fix(seconds - seconds // 2)


def pass_by(track: Track, name: str, seconds: int) -> None:
    """In the inner circle for so long, to the second."""
    spot = SPOTS[name]
    for metres, pause in ((-900, 60), (-60, 60), (60, seconds), (900, 60)):
        track.here = (spot[0] + metres, spot[1])
        track.fix(pause)


def creep(track: Track, minutes: int, metres: float) -> None:
    for _ in range(minutes):
        track.here = (track.here[0] + metres, track.here[1])
        track.fix(60)


def park(track: Track, seconds: int, metres: float) -> None:
    """Somewhere, for so long, to the second."""
    spot, left = track.here, seconds
    while left > 0:
        pause = min(left, track.pause())
        track.shake(spot, metres)
        track.fix(pause)
        left -= pause


def leave_the_way(track: Track, metres: float, seconds: int) -> None:
    """Off to the side, there for so long, and back."""
    spot = track.here
    drive(track, (spot[0] - metres, spot[1] + metres / 2), kmh=80)
    park(track, seconds, 400)
    drive(track, spot, kmh=80)


def tour(track: Track) -> None:
    """A day of a lorry: everything happens, in an order of its own."""
    dice = track.dice
    stay(track, "X0", seconds=dice.randint(200, 1200), metres=30)
    for name in ("X1", "X2", "X3", "X0", dice.choice(("X1", "X3"))):
        if dice.random() < 0.4:
            pass_by(track, dice.choice(("X1", "X3")), dice.choice((59, 60, 61)))
        drive(track, SPOTS[name], kmh=dice.choice((40, 70, 90)))
        stay(track, name, seconds=dice.randint(60, 700), metres=dice.choice((20, 60, 110, 170)))
        if dice.random() < 0.5:
            round_the_corner(track, name, dice.choice((179, 180, 181, 400)))
        _trouble(track, dice)


def _trouble(track: Track, dice: Random) -> None:
    for what in dice.sample(("creep", "park", "off", "silent", "sparse"), 2):
        if what == "creep":
            creep(track, dice.randint(4, 9), dice.choice((19, 45, 60)))
        elif what == "park":
            park(track, dice.choice((299, 300, 301, 700)), dice.choice((5, 25, 60)))
        elif what == "off":
            leave_the_way(track, dice.choice((1_500, 4_500, 19_000)), dice.choice((60, 280, 400)))
        elif what == "silent":
            track.shake(track.here, dice.choice((1, 3000)))
            track.fix(dice.choice((900, 901, 2400)))
        else:
            track.fix(dice.choice((600, 850)))
            track.fix(60)
            track.here = (track.here[0] + 900, track.here[1])
            track.fix(60)
            track.fix(60)


def plant_track(
    world: RandomWorld, dice: Random, device: str, first: timedelta, connection: str = "telematics"
) -> Track:
    """The fixes of one unit: some impossible, some late, some told twice, some corrected, and in no order."""
    start = midnight(world.day, world.zone) - first
    number = int(world.name[1:])
    latitude, longitude = BASES[number % len(BASES)]
    track = Track(dice, (latitude + 0.5 * (number // len(BASES)), longitude), start)
    tour(track)
    track.fixes = [fix for fix in track.fixes if fix["positioned_at"] <= AS_OF]
    told = [fix | _heard(dice, fix) for fix in track.fixes]
    told += [fix for fix in told if dice.random() < 0.03]
    told += [
        fix | {"latitude": 0.0, "longitude": 0.0, "source_version": version(-1)}
        for fix in told
        if dice.random() < 0.03
    ]
    told.append(
        told[-1] | {"positioned_at": start - timedelta(days=2), "received_at": start, "quality": "frozen"}
    )
    dice.shuffle(told)
    for fix in told:
        world.add(
            "telematics", "positions", device_id=device, source_system=world.connection(connection), **fix
        )
    return track


def _heard(dice: Random, fix: dict[str, Any]) -> dict[str, Any]:
    lag = timedelta(seconds=dice.choice((1, 2, 60, 61, 4000)))
    return {
        "received_at": fix["positioned_at"] + lag,
        "ignition": dice.choice((True, True, False, None)),
        "quality": dice.choice(("ok",) * 24 + ("jump", "late")),
    }
