"""Uses of the database in memory share nothing but that it is there."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from quality.memory import in_memory


def test_what_one_use_made_or_registered_no_other_sees() -> None:
    with in_memory() as one, in_memory() as other:
        one.register("rows", pa.table({"a": [1]}))
        one.execute("CREATE TEMP TABLE made AS FROM rows")
        other.register("rows", pa.table({"a": [2]}))
        other.execute("CREATE TEMP TABLE made AS FROM rows")
        assert [each.execute("FROM made").fetchall() for each in (one, other)] == [[(1,)], [(2,)]]
    for name in ("rows", "made"):
        with in_memory() as later, pytest.raises(duckdb.CatalogException):
            later.execute(f"FROM {name}")


def test_a_use_that_fails_ends_and_the_next_goes_on() -> None:
    with pytest.raises(ValueError, match="a candidate"), in_memory() as one:
        raise ValueError("a candidate")
    with pytest.raises(duckdb.ConnectionException):
        one.execute("SELECT 1")
    with in_memory() as next_one:
        assert next_one.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)
