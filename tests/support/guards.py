"""The database's own guards, set aside as somebody can who holds the database itself."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text


@contextmanager
def unguarded(db: Connection, table: str) -> Iterator[None]:
    """No trigger of the table fires while the block runs, on either database."""
    if db.dialect.name == "postgresql":
        db.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        yield
        db.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        return
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name")
    triggers = db.execute(query, {"name": table}).all()
    for name, _ in triggers:
        db.execute(text(f"DROP TRIGGER {name}"))
    yield
    for _, sql in triggers:
        db.execute(text(sql))
