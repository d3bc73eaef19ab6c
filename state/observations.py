"""When each source last answered, what its clock said, and the business time that follows."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, insert, select

from core.clock import utc_now
from state.engine import reading
from state.tables import observations


@dataclass(frozen=True)
class Observation:
    """The last attempt to read one connection; ``last_ok_at`` is machine time, None when it never answered."""

    connection: str
    kind: str
    ok: bool
    observed_at: datetime
    source_clock: datetime | None
    error: str | None
    remedy: str | None
    last_ok_at: datetime | None


def record(
    engine: Engine,
    connection: str,
    kind: str,
    ok: bool,
    observed_at: datetime,
    source_clock: datetime | None,
    error: str | None = None,
    remedy: str | None = None,
) -> None:
    """Keep one answer, or the lack of one. ``source_clock`` is what the source said the time was."""
    with engine.begin() as db:
        db.execute(
            insert(observations).values(
                connection=connection,
                kind=kind,
                ok=ok,
                observed_at=observed_at,
                source_clock=source_clock,
                error=error,
                remedy=remedy,
            )
        )


def latest(engine: Engine) -> list[Observation]:
    """The last observation of every connection, by name."""
    newest = select(func.max(observations.c.observation_id)).group_by(observations.c.connection)
    last_ok = (
        select(observations.c.connection, func.max(observations.c.observed_at))
        .where(observations.c.ok)
        .group_by(observations.c.connection)
    )
    with reading(engine) as db:
        ok_at = {row[0]: row[1] for row in db.execute(last_ok)}
        rows = db.execute(
            select(observations)
            .where(observations.c.observation_id.in_(newest))
            .order_by(observations.c.connection)
        ).all()
    return [
        Observation(
            connection=row.connection,
            kind=row.kind,
            ok=row.ok,
            observed_at=row.observed_at,
            source_clock=row.source_clock,
            error=row.error,
            remedy=row.remedy,
            last_ok_at=ok_at.get(row.connection),
        )
        for row in rows
    ]


def business_now(engine: Engine) -> datetime:
    """The sources' own now: this machine's clock plus the largest offset of any source's last good answer."""
    newest = (
        select(func.max(observations.c.observation_id))
        .where(observations.c.ok, observations.c.source_clock.is_not(None))
        .group_by(observations.c.connection)
    )
    query = select(observations.c.source_clock, observations.c.observed_at).where(
        observations.c.observation_id.in_(newest)
    )
    with reading(engine) as db:
        offsets: Sequence[timedelta] = [row.source_clock - row.observed_at for row in db.execute(query)]
    return utc_now() + max(offsets, default=timedelta(0))


def business_times(engine: Engine, instants: Sequence[datetime]) -> list[datetime]:
    """Where the sources' own clock stood at instants of this machine's, by what they had said until each of these: the same
    whenever it is asked."""
    if not instants:
        return []
    columns = (observations.c.connection, observations.c.source_clock, observations.c.observed_at)
    told = (observations.c.ok, observations.c.source_clock.is_not(None))
    first, last = min(instants), max(instants)
    before = (
        select(func.max(observations.c.observation_id))
        .where(*told, observations.c.observed_at <= first)
        .group_by(observations.c.connection)
    )
    since = (*told, observations.c.observed_at > first, observations.c.observed_at <= last)
    with reading(engine) as db:
        standing = db.execute(select(*columns).where(observations.c.observation_id.in_(before))).all()
        later = deque(db.execute(select(*columns).where(*since).order_by(observations.c.observed_at)).all())
    offsets = {row.connection: row.source_clock - row.observed_at for row in standing}
    found: dict[datetime, datetime] = {}
    for at in sorted(set(instants)):
        while later and later[0].observed_at <= at:
            row = later.popleft()
            offsets[row.connection] = row.source_clock - row.observed_at
        found[at] = at + max(offsets.values(), default=timedelta(0))
    return [found[each] for each in instants]


def machine_time(engine: Engine, business: datetime) -> datetime:
    """When this machine's clock stood where ``business_now`` was this instant; the latest such time."""
    query = (
        select(observations.c.connection, observations.c.source_clock, observations.c.observed_at)
        .where(observations.c.ok, observations.c.source_clock.is_not(None))
        .order_by(observations.c.observation_id)
    )
    offsets: dict[str, timedelta] = {}
    found: datetime | None = None
    with reading(engine) as db:
        for row in db.execute(query):
            offsets[row.connection] = row.source_clock - row.observed_at
            offset = max(offsets.values())
            if found is None or row.observed_at + offset <= business:
                found = business - offset
    return found or business
