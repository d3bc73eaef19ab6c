"""One random world: its seed, its zones, the rows it has so far, and the dice.

Belongs here: what every part of the generator shares. What happens in the world is told by ``ordering``,
``transport``, ``proofs`` and ``billing``.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from tests.support.warehouse import VERSION

Row = dict[str, Any]
Choice = TypeVar("Choice")

AS_OF = datetime(2026, 11, 3, 12, tzinfo=UTC)
"""The instant at which all worlds are looked at: some live around it, others long before."""

ERAS: tuple[tuple[str, date], ...] = (
    ("Europe/Berlin", date(2026, 10, 25)),  # 25 hours
    ("America/New_York", date(2026, 11, 1)),  # 25 hours
    ("Pacific/Auckland", date(2026, 9, 27)),  # 23 hours
    ("America/Sao_Paulo", date(2018, 11, 4)),  # 23 hours, and no midnight
    ("America/St_Johns", date(2026, 11, 1)),  # 25 hours, half an hour off
    ("Asia/Kathmandu", date(2026, 11, 2)),  # never changes, a quarter of an hour off
    ("America/Havana", date(2026, 11, 1)),  # 25 hours, and two midnights
    ("Europe/London", date(2026, 3, 29)),  # 23 hours
    ("Pacific/Auckland", date(2026, 4, 5)),  # 25 hours
    ("Australia/Lord_Howe", date(2026, 10, 4)),  # 23 hours and a half
)
"""A zone, and the day of it around which the world lives."""


class RandomWorld:
    """``name`` stands before every id, so that many worlds fit into one warehouse."""

    def __init__(self, number: int, seed: int) -> None:
        self.name = f"W{number:02d}"
        self.dice = random.Random(f"{seed}/{number}")
        self.zone, self.day = ERAS[number % len(ERAS)]
        self.latitude = 50.0 + 0.05 * number
        """Where its depots and customers stand beside each other, on a parallel of their own."""
        self.other_zone = self.dice.choice([zone for zone, _ in ERAS if zone != self.zone])
        self.rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
        self.places: list[Row] = []
        self.depots: list[Row] = []

    def add(self, kind: str, resource: str, /, **fields: Any) -> Row:
        """A row of a contract, from this world's own connection of that kind."""
        row = {"source_system": self.connection(kind), **fields}
        self.rows[kind, resource].append(row)
        return row

    def connection(self, kind: str) -> str:
        return f"{self.name}-{kind}"

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def pick(self, *options: Choice) -> Choice:
        return self.dice.choice(options)

    def weighted(self, **weights: int) -> str:
        return self.dice.choices(list(weights), list(weights.values()))[0]

    def hours(self, first: float, last: float) -> timedelta:
        """A length between two numbers of hours, in whole seconds."""
        return timedelta(seconds=self.dice.randint(round(first * 3600), round(last * 3600)))

    def around_the_change(self) -> datetime:
        """An instant some days before or just after the day the clocks change."""
        midnight = datetime.combine(self.day, time(), UTC)
        return midnight + self.hours(-96, 30)

    def quality(self) -> str:
        return self.weighted(exact=88, assumed_zone=6, ambiguous=3, gap=3)


def by_now(instant: datetime | None) -> datetime | None:
    """The instant, unless it is still to come."""
    return instant if instant is not None and instant <= AS_OF else None


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a local day begins, the first one where there are two."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def local_day(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def version(number: int) -> datetime:
    """When the ``number``-th version of a row was written; later ones are later."""
    return VERSION + timedelta(hours=number)


def merged(worlds: Sequence[RandomWorld]) -> dict[tuple[str, str], list[Row]]:
    """The rows of all worlds together."""
    together: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for world in worlds:
        for table, rows in world.rows.items():
            together[table].extend(rows)
    return together
