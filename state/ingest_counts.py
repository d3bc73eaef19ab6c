"""What became of every row a run read: the database itself holds that the counts add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, delete, func, insert, select, update

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


def forget(engine: Engine, run_id: str, connection: str) -> None:
    """Drop what a run counted of a connection: it is all done, and counted, once more under other names."""
    with engine.begin() as db:
        db.execute(
            delete(ingest_counts).where(
                ingest_counts.c.run_id == run_id, ingest_counts.c.connection == connection
            )
        )


def take_back(engine: Engine, connection: str, rows: Mapping[tuple[str, str, str, str], int]) -> None:
    """Count some rows no more: (run, kind, resource, what they were counted as) → how many."""
    columns = ingest_counts.c
    with engine.begin() as db:
        for (run_id, kind, resource, fate), many in rows.items():
            where = (columns.run_id == run_id, columns.connection == connection)
            which = (columns.source == f"raw_{kind}", columns.resource == resource)
            less = {"rows_in": columns.rows_in - many, fate: columns[fate] - many}
            db.execute(update(ingest_counts).where(*where, *which).values(less))


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


def fallen_silent(engine: Engine, run_id: str, source: str, runs: int) -> dict[tuple[str, str], int]:
    """Connection and resource of which a run read no row, though each of so many before it did → rows of the last."""
    columns = ingest_counts.c
    of_source = (columns.connection, columns.resource)
    quiet = select(*of_source).where(columns.run_id == run_id, columns.source == source, columns.rows_in == 0)
    turn = func.row_number().over(partition_by=of_source, order_by=columns.counted_at.desc())
    ranked = (
        select(*of_source, columns.rows_in, turn.label("turn"))
        .where(columns.source == source, columns.run_id != run_id)
        .subquery()
    )
    with reading(engine) as db:
        asked = {(each.connection, each.resource) for each in db.execute(quiet)}
        before: dict[tuple[str, str], list[int]] = {name: [] for name in asked}
        for row in db.execute(select(ranked).where(ranked.c.turn <= runs).order_by(ranked.c.turn)):
            if (row.connection, row.resource) in asked:
                before[row.connection, row.resource].append(row.rows_in)
    return {name: rows[0] for name, rows in before.items() if len(rows) == runs and all(rows)}
