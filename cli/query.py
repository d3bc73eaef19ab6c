"""``waybill query``: SQL against the serving copy, read-only."""

from __future__ import annotations

from typing import Annotated

import duckdb
import typer

from cli.as_of import AsOf, published
from cli.output import emit_csv, emit_json, table, upright
from core.errors import WaybillError
from core.settings import get_settings
from core.warehouse import open_serving

_MOST_ABREAST = 14
"""Columns that still can be read beside each other."""


def query(
    sql: Annotated[str, typer.Argument(help="DuckDB's SQL on the schema marts; read-only.")],
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    csv_output: Annotated[
        bool, typer.Option("--csv", help="Print CSV; a text that would be a formula gets an apostrophe.")
    ] = False,
    as_of: AsOf = None,
) -> None:
    """Run one SQL statement on the published marts, beside whatever else is running."""
    if json_output and csv_output:
        raise typer.BadParameter("either --json or --csv")
    with open_serving(published(get_settings(), as_of)) as marts:
        try:
            result = marts.execute(sql)
            columns = [each[0] for each in result.description or []]
            rows = result.fetchall()
        except duckdb.Error as error:
            raise WaybillError(
                f"The query failed: {error}",
                remedy='`waybill query "SELECT table_name, column_name FROM information_schema.columns"` '
                "lists what there is.",
            ) from error
    if json_output:
        emit_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif csv_output:
        emit_csv(columns, rows)
    elif len(columns) > _MOST_ABREAST:
        upright(columns, rows)
    else:
        table("", columns, rows)
