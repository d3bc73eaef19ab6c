"""All rows of one state store into another, empty one, whichever database either lies in.

Belongs here: copying. A backup copies out of PostgreSQL into a file, a restore out of that file into PostgreSQL. Which
database belongs to which home stays out of it: a copy is another home's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Table, func, insert, select, text

from core.errors import PermanentFailure
from state.tables import metadata, store_identity

_BATCH = 1_000


def refuse_unless_empty(db: Connection, told: str) -> None:
    """PermanentFailure when any table holds a row; ``told`` says which database it is."""
    for table in metadata.sorted_tables:
        if db.execute(select(table).limit(1)).first() is not None:
            raise PermanentFailure(
                f"{told} is not empty: {table.name} holds rows.",
                remedy="Create a new, empty database and name it in WAYBILL_STATE_URL.",
            )


def copy_rows(source: Connection, target: Connection) -> None:
    """Every row as it is, inside the caller's transactions; the target is empty and at the same migration."""
    with _unguarded(target):
        for table in metadata.sorted_tables:
            if table is store_identity:
                continue
            ordered = select(table).order_by(*table.primary_key)
            for some in source.execute(ordered).yield_per(_BATCH).partitions():
                target.execute(insert(table), [dict(row._mapping) for row in some])
            if target.dialect.name == "postgresql":
                _go_on_counting(target, table)


@contextmanager
def _unguarded(db: Connection) -> Iterator[None]:
    """Without the database's own guards while rows are copied, and with all of them again before the commit.

    They judge what comes in by what is there: a credit note was drafted once its invoice was posted and is sent once it
    is approved, which no order of tables tells.
    """
    if db.dialect.name == "postgresql":
        for table in metadata.sorted_tables:
            db.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))
        yield
        for table in metadata.sorted_tables:
            db.execute(text(f"ALTER TABLE {table.name} ENABLE TRIGGER USER"))
        return
    guards = db.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    for name, _ in guards:
        db.execute(text(f"DROP TRIGGER {name}"))
    yield
    for _, made in guards:
        db.exec_driver_sql(made)


def _go_on_counting(db: Connection, table: Table) -> None:
    """Let PostgreSQL's own numbers begin after those that were copied; SQLite does so by itself."""
    for column in table.primary_key:
        sequence = db.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
        newest = db.scalar(select(func.max(column))) if sequence else None
        if newest is not None:
            db.execute(text("SELECT setval(:name, :newest)"), {"name": sequence, "newest": newest})
