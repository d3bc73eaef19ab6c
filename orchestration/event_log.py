"""Dagster's SQLite event log with connections that stay open.

The original opens and closes a database for every statement, and closing the last connection writes the log
back and syncs: some ten times for each of the thousand events of one run. Only that is changed here; tables,
files and queries are Dagster's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from dagster import StringSource
from dagster._config import UserConfigSchema
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event

_KEPT = 4


class KeptOpenEventLog(SqliteEventLogStorage):
    """As its parent; named in the installation's ``dagster.yaml``."""

    def __init__(self, home: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        super().__init__(str(Path(home) / "history" / "runs"), inst_data)

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """One setting, ``home``: the folder where Dagster's own default would keep its history."""
        return {"home": StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Made by Dagster from ``dagster.yaml``."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        """The shard's engine; beside the index only the newest runs keep theirs."""
        if shard not in self._engines:
            while len(self._engines) >= _KEPT:
                oldest = next(each for each in self._engines if each != "index" or len(self._engines) == 1)
                self._engines.pop(oldest).dispose()
            self._engines[shard] = _open(self.conn_string_for_shard(shard))
        return self._engines[shard]

    def dispose(self) -> None:
        """Close every connection."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


def _open(address: str) -> Engine:
    engine = create_engine(address, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})

    @event.listens_for(engine, "connect")
    def _sync_at_checkpoints(connection: Any, _record: Any) -> None:
        # Dagster's history can be written again by another run; what must not be lost is in our state store.
        connection.execute("PRAGMA synchronous = NORMAL")

    return engine
