"""Two warehouses side by side: which tables differ, and by which rows.

Belongs here: comparing what dbt built, or what was loaded. What may differ is said by who compares.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import duckdb

_SCHEMAS = ("canonical", "candidates", "outbound", "marts")
AS_LAST_JUDGED = {
    "*": ["as_of"],
    # What moves with every other invoice of the customer and with the clock stays as it was last judged.
    "candidates.int_candidate_balances": ["other_open_amount"],
    "candidates.int_candidate_facts": ["posting_date", "fx_rate_age_days", "customer_open_amount"],
    "candidates.fulfilment_candidates": ["posting_date"],
    "candidates.invoice_candidates": [
        "posting_date",
        "fx_rate_age_days",
        "customer_open_amount",
        "input_hash",
    ],
}
"""What may stand apart in a warehouse that was built as its rows came in, beside one that was built at once."""


def differences(
    one: Path, other: Path, apart: Mapping[str, Collection[str]], schemas: Collection[str] = _SCHEMAS
) -> dict[str, list[str]]:
    """Rows by table (``schema.table``) that only one of two warehouses has, as texts; no entry for equal tables.

    ``apart`` names the columns that are left out, by table; ``*`` stands for every table. dlt's own tables are not compared.
    """
    found: dict[str, list[str]] = {}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{one}' AS one (READ_ONLY)")
        connection.execute(f"ATTACH '{other}' AS other (READ_ONLY)")
        for name in _tables(connection, schemas):
            left_out = {*apart.get("*", ()), *apart.get(name, ())}
            columns = ", ".join(each for each in _columns(connection, name) if each not in left_out)
            rows = connection.execute(
                f"(SELECT 'one', {columns} FROM one.{name} EXCEPT ALL SELECT 'one', {columns} FROM other.{name}) "
                f"UNION ALL "
                f"(SELECT 'other', {columns} FROM other.{name} EXCEPT ALL SELECT 'other', {columns} FROM one.{name})"
            ).fetchall()
            if rows:
                found[name] = sorted(str(each) for each in rows)
    return found


def _tables(connection: duckdb.DuckDBPyConnection, schemas: Collection[str]) -> list[str]:
    rows = connection.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = 'one' "
        "AND list_contains(?, schema_name) AND NOT starts_with(table_name, '_dlt') ORDER BY 1",
        [list(schemas)],
    ).fetchall()
    return [name for (name,) in rows]


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    rows = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = 'one' "
        "AND schema_name || '.' || table_name = ? ORDER BY column_index",
        [table],
    ).fetchall()
    return [name for (name,) in rows]
