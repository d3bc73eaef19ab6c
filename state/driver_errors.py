"""What a driver's error becomes: of a full disk what to do about it, of anything else SQLAlchemy's own error.

Belongs here: that, for what SQLAlchemy executes (it asks ``on_error``) and for what is handed to the driver itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, ExceptionContext
from sqlalchemy.exc import DBAPIError

from core.disk import DiskFull, disk_full, is_full

ROOT = "waybill_root"
"""The execution option of an engine that says which folder's disk the state lies on."""
_POSTGRESQL_FULL = "53100"


def on_error(context: ExceptionContext) -> None:
    """Raises DiskFull in place of what the driver says of a full disk; SQLAlchemy raises every other error itself."""
    if context.engine is not None:
        _raise_when_full(context.original_exception, context.engine.get_execution_options()[ROOT])


def error_of(db: Connection, sql: str, values: Any, error: Exception) -> Exception:
    """What is to be raised where the driver raised ``error``; a connection that is gone goes out of the pool."""
    dialect = db.dialect
    _raise_when_full(error, db.get_execution_options()[ROOT])
    is_gone = dialect.is_disconnect(error, db.connection, None)  # type: ignore[arg-type]
    if is_gone:
        db.invalidate(error)
    return DBAPIError.instance(
        sql, values, error, dialect.loaded_dbapi.Error, db.engine.hide_parameters, is_gone, dialect
    )


def _raise_when_full(error: BaseException, root: Path) -> None:
    if getattr(error, "sqlstate", None) == _POSTGRESQL_FULL:
        raise DiskFull(
            "The disk of the state's PostgreSQL server is full.",
            remedy="Make room there, then run again: what was acknowledged is in it.",
        )
    if is_full(error, root):
        raise disk_full(root)
