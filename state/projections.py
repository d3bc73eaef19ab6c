"""The state's tables as rows for ``ingestion.ledger``: what may be read of them as an ordinary source."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Engine, Table, select

from state.engine import reading
from state.tables import (
    dead_letters,
    ingest_counts,
    ledger,
    observations,
    outbox,
    push_attempts,
    receipts,
)
from state.tables_of_decisions import gate_decisions

GATE: dict[str, Table] = {"decisions": gate_decisions}
LEDGER: dict[str, Table] = {
    "outbox": outbox,
    "push_attempts": push_attempts,
    "receipts": receipts,
    "dead_letters": dead_letters,
    "ingest_counts": ingest_counts,
    "observations": observations,
    "entries": ledger,
}
PAYLOADS = frozenset({"raw", "fields", "inputs_batch"})
"""Columns that stay in the state store: what came in, and where a decision's inputs lie."""


def rows_of(engine: Engine, table: Table, only: ColumnElement[bool] | None = None) -> list[dict[str, Any]]:
    """Every row, or those of which ``only`` is true, without the payload bytes; instants aware, amounts Decimal, lists
    as Python's own."""
    columns = [column for column in table.columns if column.name not in PAYLOADS]
    query = select(*columns).order_by(*table.primary_key)
    with reading(engine) as db:
        return [dict(row._mapping) for row in db.execute(query if only is None else query.where(only))]
