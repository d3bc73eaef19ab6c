"""Open dead letters at a glance: how many of which kind, and the heads of the newest, without what came.

Belongs here: reading for those who look. What a letter is and what moves it: ``dead_letters``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Engine, func, select

from state.engine import reading
from state.letter_states import STANDING
from state.tables import dead_letters

_UNDECIDED = tuple(each for each in STANDING if each != "parked")
"""Refused, or in a replay that was cut off. What waits for its parent waits for nobody else."""


@dataclass(frozen=True)
class Group:
    """Undecided letters of one reason: how many, and since when the oldest is there."""

    connection: str
    resource: str
    reason: str
    many: int
    oldest: datetime


@dataclass(frozen=True)
class Head:
    """One undecided letter without its payload."""

    dead_letter_id: str
    connection: str
    resource: str
    source_id: str | None
    order_ref: str | None
    shipment_ref: str | None
    reason: str
    detail: str
    received_at: datetime


def groups(engine: Engine) -> list[Group]:
    """Every reason with undecided letters, most frequent first."""
    letter = dead_letters.c
    query = (
        select(
            letter.connection, letter.resource, letter.reason, func.count().label("many"),
            func.min(letter.received_at).label("oldest"),
        )
        .where(letter.status.in_(_UNDECIDED))
        .group_by(letter.connection, letter.resource, letter.reason)
        .order_by(func.count().desc(), letter.connection, letter.resource, letter.reason)
    )  # fmt: skip
    with reading(engine) as db:
        return [Group(*row) for row in db.execute(query)]


def newest(engine: Engine, most: int) -> list[Head]:
    """So many undecided letters, the newest first."""
    query = (
        select(*(dead_letters.c[each.name] for each in fields(Head)))
        .where(dead_letters.c.status.in_(_UNDECIDED))
        .order_by(dead_letters.c.received_at.desc(), dead_letters.c.dead_letter_id)
        .limit(most)
    )
    with reading(engine) as db:
        return [Head(*row) for row in db.execute(query)]
