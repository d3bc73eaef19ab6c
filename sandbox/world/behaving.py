"""How the lorries were driven: harsh braking, accelerating and turning, and going much too fast, as the units notice it."""

from __future__ import annotations

import itertools
import random
from datetime import datetime, timedelta

from sandbox.world import routing
from sandbox.world.happenings import Harsh
from sandbox.world.model import Trip, World

SPEEDING = "HeavySpeeding"
_LABELS = ("Braking", "Acceleration", "HarshTurn", SPEEDING)
_WEIGHTS = (50, 25, 15, 10)


def harsh(world: World) -> list[Harsh]:
    """None on most trips, at most two; one in twenty is told much later, by a unit that had no network."""
    rng = random.Random(f"harsh {world.seed} {len(world.orders)}")
    found: list[Harsh] = []
    for trip in world.trips:
        for _ in range(rng.choices((0, 1, 2), (60, 30, 10))[0]):
            found.append(_one(rng, f"SE-{len(found) + 1:05d}", trip))
    return found


def _one(rng: random.Random, name: str, trip: Trip) -> Harsh:
    moment, lat, lon = _somewhere(rng, trip)
    late = timedelta(minutes=rng.uniform(10, 300)) if rng.random() < 0.05 else timedelta(0)
    told = moment + timedelta(seconds=rng.uniform(3, 45)) + late
    label = rng.choices(_LABELS, _WEIGHTS)[0]
    speed = rng.randint(75, 110) if label == SPEEDING else None
    return Harsh(name, trip, label, moment, told, lat, lon, round(rng.uniform(0.35, 0.8), 3), speed)


def _somewhere(rng: random.Random, trip: Trip) -> tuple[datetime, float, float]:
    """A moment at which the lorry moves, to the millisecond, and where it is then."""
    legs = [(one, two) for one, two in itertools.pairwise(routing.driven(trip)) if one[1:] != two[1:]]
    (begin, lat, lon), (end, to_lat, to_lon) = rng.choice(legs)
    share = rng.uniform(0.1, 0.9)
    moment = begin + (end - begin) * share
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    return moment, lat + (to_lat - lat) * share, lon + (to_lon - lon) * share
