"""The one opener of the DuckDB files, and the lock that keeps two writers apart.

A writer holds ``warehouse.lock`` from before it opens the file until after it has closed it; its name
stands in ``warehouse.holder`` so that whoever waits can say for whom. Readers use the serving copy only.

Whoever waits holds ``warehouse.next`` meanwhile, and nobody takes the first lock without the second: a process that lets go
of the file only for a moment, as a run does between the parts of a build, comes after the one that waited, not before it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from filelock import BaseFileLock, FileLock, Timeout

from core.disk import told_when_full
from core.errors import TransientFailure, WaybillError
from core.settings import Settings

LOCK_TIMEOUT_S = 600.0
MEMORY_LIMIT = "4GB"
"""Of DuckDB, as in dbt's profile. It holds for all who have the file open in this process."""


@contextmanager
def writer_lock(settings: Settings, holder: str, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the cross-process writer lock; re-entrant in one thread. TransientFailure after the timeout."""
    settings.root.mkdir(parents=True, exist_ok=True)
    note = settings.root / "warehouse.holder"
    lock = FileLock(settings.root / "warehouse.lock", is_singleton=True)
    try:
        if lock.is_locked:  # by this thread: whoever is next waits for it
            lock.acquire()
        else:
            _queue(lock, settings, timeout_s)
    except Timeout as error:
        by = note.read_text() if note.exists() else "an unknown process"
        raise TransientFailure(
            f"{holder} waited {timeout_s:.0f} s for the warehouse; it is held by {by}.",
            remedy="Wait for that process or end it, then run again.",
        ) from error
    try:
        note.write_text(holder)
        yield
    finally:
        lock.release()


def _queue(lock: BaseFileLock, settings: Settings, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    with FileLock(settings.root / "warehouse.next", is_singleton=True).acquire(timeout=timeout_s):
        lock.acquire(timeout=max(0.0, deadline - time.monotonic()))


def is_waited_for(settings: Settings) -> bool:
    """Whether another process waits for the lock, which this one holds."""
    try:
        with FileLock(settings.root / "warehouse.next", is_singleton=True).acquire(blocking=False):
            return False
    except Timeout:
        return True


@contextmanager
def open_warehouse(
    settings: Settings, holder: str, timeout_s: float = LOCK_TIMEOUT_S
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, open for writing under the lock, in UTC. WaybillError when the file does not open, DiskFull when
    there is no room to open it or for what is done with it."""
    with told_when_full(settings.root), writer_lock(settings, holder, timeout_s):
        connection = _connect(settings.warehouse)
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def open_serving(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The serving copy, read-only, in UTC. WaybillError when nothing was published yet."""
    if not settings.serving.exists():
        raise WaybillError(
            f"There is no serving copy at {settings.serving}.", remedy="Run `waybill run` first."
        )
    connection = _connect(settings.serving, read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def keep_serving(settings: Settings) -> duckdb.DuckDBPyConnection:
    """The serving copy as it is now, read-only and in UTC, for who keeps it open. WaybillError when it does not open.

    It is attached to a database in memory: DuckDB gives all who connect to one path in one process the file that was
    there first, and who opens it next is to see the copy that has replaced it.
    """
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    path = str(settings.serving).replace("'", "''")
    try:
        connection.execute(f"ATTACH '{path}' AS marts (READ_ONLY)")
    except duckdb.Error as error:
        connection.close()
        raise WaybillError(
            f"{settings.serving} does not open: {error}", remedy="Publish it anew with `waybill run`."
        ) from error
    return connection


def _connect(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(path), read_only=read_only)
    except duckdb.Error as error:
        raise WaybillError(
            f"{path} does not open: {error}",
            remedy="If no other program has it open, move the file away and run again: it is rebuilt.",
        ) from error
    connection.execute("SET TimeZone = 'UTC'")
    return connection
