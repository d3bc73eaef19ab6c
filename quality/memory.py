"""A database in memory, for what is worked out of tables that are in memory already.

To make one takes longer than to ask it about a few rows: one is kept, of which each use has a connection of its own, with its own
tables and views, that end with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import duckdb


@contextmanager
def in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in UTC that sees what it registers and makes itself, and nothing else."""
    with _database().cursor() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"threads": 1})
