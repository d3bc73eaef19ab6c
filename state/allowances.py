"""What all pushers together may do at a destination: when the next attempt may begin, and how many retries are left.

Belongs here: the row that they share. How turns follow each other and how retries come back is ``activation``'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from state.tables_of_pushers import destinations


@dataclass(frozen=True)
class Retries:
    """So many were left at an instant."""

    left: float
    at: datetime


def next_turn(db: Connection, destination: str) -> datetime | None:
    """When the next attempt may begin; None when none was given out yet."""
    found: datetime | None = db.scalar(
        select(destinations.c.next_turn_at).where(destinations.c.destination == destination)
    )
    return found


def keep_next_turn(db: Connection, destination: str, at: datetime) -> None:
    """All turns before this one are somebody's."""
    here = destinations.c.destination == destination
    db.execute(update(destinations).where(here).values(next_turn_at=at))


def retries(db: Connection, destination: str) -> Retries | None:
    """What is left of them; None when none was made yet."""
    query = select(destinations.c.retries_left, destinations.c.retries_at)
    row = db.execute(query.where(destinations.c.destination == destination)).one_or_none()
    return None if row is None or row.retries_at is None else Retries(row.retries_left, row.retries_at)


def keep_retries(db: Connection, destination: str, retries: Retries) -> None:
    """Write down what is left."""
    here = destinations.c.destination == destination
    db.execute(update(destinations).where(here).values(retries_left=retries.left, retries_at=retries.at))
