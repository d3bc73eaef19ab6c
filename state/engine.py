"""The one opener of the state store: durable settings asserted, schema migrated to head, one writer at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pysqlite3
from filelock import FileLock
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text

from core.disk import told_when_full
from core.errors import ConfigurationError
from core.settings import Settings
from state.driver_errors import ROOT, on_error
from state.home import bind, refuse_another_kind
from state.postgresql import connect, url_of

HEAD = "0024"
"""The newest migration; ``migrations/versions`` holds it."""

_OLDEST_SQLITE = (3, 51, 3)
_BUSY_TIMEOUT_MS = 30_000
_CACHE_KB = 64 * 1024
"""What a connection may keep of the file in memory: with SQLite's own 2 MB, moving a million rows wrote each page of the
ledger's index many times over. Only who touches so much uses it."""
_STATEMENTS = 1000
"""Statements that a connection keeps ready. Where more come than are kept, the driver lets go of the newest: with its own 128, which the
migrations alone fill, each statement of an attempt was made ready again every time it ran, which took longer than to run it."""
_READS = "waybill_reads"
_PRAGMAS = {
    "busy_timeout": _BUSY_TIMEOUT_MS,
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "recursive_triggers": 1,
}

_BEGIN = {
    ("sqlite", True): "BEGIN",
    ("sqlite", False): "BEGIN IMMEDIATE",
    ("postgresql", True): "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    # PostgreSQL has no lock for a whole database: this one is Waybill's own, and ends with the transaction. Each
    # statement after it sees what all earlier writers committed.
    ("postgresql", False): "SELECT pg_advisory_xact_lock(8727245)",
}
"""(dialect, only reads) → the first statement of a transaction."""


def open_state(settings: Settings) -> Engine:
    """The state store of this home, ready to use: SQLite, or the PostgreSQL that ``state_url`` names.

    ConfigurationError when the database can lose what was committed, cannot be reached, or is not this home's; DiskFull
    when there is no room for SQLite's log.
    """
    with told_when_full(settings.root):
        settings.root.mkdir(parents=True, exist_ok=True)
        refuse_another_kind(settings)
        engine = open_unbound(settings)
        if settings.state_url is not None:
            bind(settings, engine)
    return engine


def open_unbound(settings: Settings) -> Engine:
    """The same, without asking whose store it is: only for who fills a new one."""
    url = url_of(settings)
    engine = _sqlite(settings) if url is None else connect(url)
    event.listen(engine, "begin", _on_begin)
    engine.update_execution_options(**{ROOT: settings.root})
    event.listen(engine, "handle_error", on_error)
    _migrate(engine)
    return engine


def _sqlite(settings: Settings) -> Engine:
    if pysqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise ConfigurationError(
            f"SQLite {pysqlite3.sqlite_version} can lose committed rows when its log is reset.",
            remedy="Install the versions of requirements.lock (SQLite 3.51.3 or newer).",
        )
    engine = create_engine(
        f"sqlite:///{settings.state}",
        module=pysqlite3.dbapi2,
        connect_args={"cached_statements": _STATEMENTS},
        # The connection that wrote last has the pages in memory; to any other of the pool they are old.
        pool_use_lifo=True,
    )
    event.listen(engine, "connect", _on_connect)
    if not settings.state.exists():
        # A new file is given its write-ahead log by the first to open it, and for that SQLite waits for nobody.
        with FileLock(settings.state.with_suffix(".lock")), engine.connect():
            pass
    return engine


def _on_connect(connection: Any, _record: object) -> None:
    """Set what durability needs and check that SQLite took it."""
    # The driver must not open transactions by itself: they begin IMMEDIATE, see _on_begin.
    connection.isolation_level = None
    for name, value in _PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}")
    for name, value in _PRAGMAS.items():
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found != value:
            raise ConfigurationError(
                f"The state store runs with {name} = {found}, not {value}.",
                remedy="Put WAYBILL_HOME on a local file system that supports SQLite's write-ahead log.",
            )
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that only reads: it sees one snapshot and keeps no writer waiting."""
    with engine.connect().execution_options(**{_READS: True}) as connection:
        yield connection


def _on_begin(connection: Connection) -> None:
    """Writers take the write lock at once: two of them queue here instead of failing half-way."""
    reads = connection.get_execution_options().get(_READS, False)
    connection.exec_driver_sql(_BEGIN[connection.dialect.name, reads])


def _migrate(engine: Engine) -> None:
    """Bring the schema to head; Alembic is imported only when there is something to do."""
    with engine.connect() as connection:
        has_version = "alembic_version" in inspect(connection).get_table_names()
        version = connection.scalar(text("SELECT version_num FROM alembic_version")) if has_version else None
    if version == HEAD:
        return
    from state.migrations.upgrade import upgrade

    upgrade(engine)
