"""Lorries and their time in the workshop: service between two trips, one visit that goes on, one that was called off."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from datetime import date, datetime, timedelta

from sandbox.world.happenings import Lorry, Visit
from sandbox.world.model import Trip, World
from sandbox.world.moments import NOW, told_once

_KINDS = ("service", "repair", "inspection")
_GAP = timedelta(hours=9)


def lorries(world: World) -> list[Lorry]:
    """Every vehicle that ever drives; one of few trips, all long ago, served only for these."""
    found = [
        Lorry(vehicle, device, 7_500 if number % 3 else 18_000, date(2024, 1 + number % 12, 1))
        for number, (vehicle, device) in enumerate(world.vehicles.items(), 1)
    ]
    spans = _spans(world)
    for lorry in found:
        first, last = spans[lorry.id][0], spans[lorry.id][-1]
        if len(spans[lorry.id]) < 4 and last.back < NOW - timedelta(days=5):
            lorry.in_service_from = first.departed.date() - timedelta(days=3)
            lorry.in_service_until = last.back.date() + timedelta(days=2)
    return found


def visits(world: World) -> list[Visit]:
    """One visit for two lorries of three, in a gap between trips."""
    rng = random.Random(f"workshop {world.seed} {len(world.orders)}")
    found: list[Visit] = []
    for vehicle, trips in sorted(_spans(world).items()):
        draw, kind = rng.random(), rng.choice(_KINDS)
        gaps = [
            (one.back, two.departed)
            for one, two in itertools.pairwise(trips)
            if two.departed - one.back > _GAP and two.departed < NOW
        ]
        if draw > 0.66 or not gaps:
            continue
        begin, end = rng.choice(gaps)
        start = _typed(begin + timedelta(hours=1))
        stop = _typed(min(start + timedelta(hours=rng.uniform(3, 30)), end - timedelta(hours=2)))
        found.append(Visit(f"MO-{len(found) + 1:04d}", vehicle, kind, "completed", start, stop, stop))
    _unfinished(found, world)
    return found


def _unfinished(found: list[Visit], world: World) -> None:
    """The lorry that has stood longest is still in the workshop; the next one was expected and never came."""
    idle = sorted((trips[-1].back, vehicle) for vehicle, trips in _spans(world).items())
    (back, first), (_, second) = idle[0], idle[1]
    if back < NOW:
        start = _typed(back + (NOW - back) / 2)
        found.append(Visit(f"MO-{len(found) + 1:04d}", first, "repair", "started", start, None, start))
    written = NOW - timedelta(days=2)
    found.append(Visit(f"MO-{len(found) + 1:04d}", second, "inspection", "cancelled", None, None, written))


def _typed(moment: datetime) -> datetime:
    """To the minute, in no hour that the workshop's clock shows twice."""
    return told_once(moment).replace(second=0, microsecond=0)


def _spans(world: World) -> dict[str, list[Trip]]:
    found: defaultdict[str, list[Trip]] = defaultdict(list)
    for trip in sorted(world.trips, key=lambda each: each.departed):
        found[trip.vehicle].append(trip)
    return dict(found)
