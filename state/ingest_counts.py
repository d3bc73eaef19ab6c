"""What became of every row a run read: the database itself holds that the counts add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, delete, insert, select

from core.clock import utc_now
from state.engine import reading
from state.tables import ingest_counts


@dataclass(frozen=True)
class IngestCount:
    """Rows of one resource of one connection in one run."""

    connection: str
    source: str
    resource: str
    rows_in: int
    loaded: int
    dead_lettered: int
    duplicate: int
    parked: int


def record(engine: Engine, run_id: str, counts: Sequence[IngestCount]) -> None:
    """Keep the counts of a run; a repeated step replaces its own."""
    with engine.begin() as db:
        for each in counts:
            db.execute(
                delete(ingest_counts).where(
                    ingest_counts.c.run_id == run_id,
                    ingest_counts.c.connection == each.connection,
                    ingest_counts.c.source == each.source,
                    ingest_counts.c.resource == each.resource,
                )
            )
            db.execute(insert(ingest_counts).values(run_id=run_id, counted_at=utc_now(), **vars(each)))


def of_run(engine: Engine, run_id: str) -> list[IngestCount]:
    """The counts of one run by connection and resource."""
    query = (
        select(ingest_counts)
        .where(ingest_counts.c.run_id == run_id)
        .order_by(ingest_counts.c.connection, ingest_counts.c.resource)
    )
    names = tuple(IngestCount.__dataclass_fields__)
    with reading(engine) as db:
        return [IngestCount(**{name: getattr(row, name) for name in names}) for row in db.execute(query)]
