"""Which destinations are in trouble: kept here because a push ends long before its destination is well again.

A destination without a row is well. Belongs here: the rows. When a breaker opens and closes is ``activation.breaker``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, insert, select

from state.engine import reading
from state.tables import breakers as table


@dataclass(frozen=True)
class Trouble:
    """Nothing is sent before ``open_until``; then a probe, and one send at a time until ``left_to_post`` have posted.

    ``opening_s``: how long this opening lasts, in seconds.
    """

    destination: str
    open_until: datetime
    opening_s: int
    left_to_post: int
    is_probed: bool = False


def of(engine: Engine, destination: str) -> Trouble | None:
    """The trouble that a destination is in; None when it is well."""
    with reading(engine) as db:
        row = db.execute(select(table).where(table.c.destination == destination)).one_or_none()
    return None if row is None else Trouble(**row._mapping)


def keep(engine: Engine, trouble: Trouble) -> None:
    """Write down how it stands, instead of what was known before."""
    with engine.begin() as db:
        db.execute(delete(table).where(table.c.destination == trouble.destination))
        db.execute(insert(table).values(**vars(trouble)))


def forget(engine: Engine, destination: str) -> None:
    """It is well again."""
    with engine.begin() as db:
        db.execute(delete(table).where(table.c.destination == destination))
