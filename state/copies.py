"""All rows of one state store into another, empty one, whichever database either lies in.

Belongs here: copying. A backup copies out of PostgreSQL into a file, a restore out of that file into PostgreSQL. Which
database belongs to which home stays out of it: a copy is another home's.
"""

from __future__ import annotations

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
    for table in metadata.sorted_tables:
        if table is store_identity:
            continue
        ordered = select(table).order_by(*table.primary_key)
        for some in source.execute(ordered).yield_per(_BATCH).partitions():
            target.execute(insert(table), [dict(row._mapping) for row in some])
        if target.dialect.name == "postgresql":
            _go_on_counting(target, table)


def _go_on_counting(db: Connection, table: Table) -> None:
    """Let PostgreSQL's own numbers begin after those that were copied; SQLite does so by itself."""
    for column in table.primary_key:
        sequence = db.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
        newest = db.scalar(select(func.max(column))) if sequence else None
        if newest is not None:
            db.execute(text("SELECT setval(:name, :newest)"), {"name": sequence, "newest": newest})
