"""Our own state read as an ordinary source: decisions into ``raw_gate``, the rest into ``raw_ledger``.

    state.sqlite     ─► raw_gate.decisions, raw_ledger.{outbox, push_attempts, receipts, dead_letters, …}
    connection files ─► raw_ledger.connections

Each projection is a whole table from one snapshot, so that running it twice changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlalchemy import Boolean, ColumnElement, Engine, Integer, Table

from contracts.arrow import INSTANT
from core.connections import load_connections
from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion.load import replace_tables
from state.projections import GATE, LEDGER, PAYLOADS, rows_of
from state.tables_of_decisions import gate_decisions
from state.types import Instant, JsonText, Money

_MONEY = pa.decimal128(18, 4)
_OF_A_BATCH = "events"
"""The load of what is projected for a batch of the worker."""
CONNECTIONS = pa.schema(
    [
        pa.field("connection", pa.string(), nullable=False),
        *(pa.field(name, pa.string()) for name in ("kind", "adapter", "owner", "criticality", "lifecycle")),
        pa.field("freshness_s", pa.int64()),
        pa.field("is_destination", pa.bool_()),
        pa.field("requested_at", INSTANT),
    ]
)
"""What is projected of a connection file: nothing of its secrets, addresses and options."""


def project_gate(settings: Settings, engine: Engine) -> dict[str, int]:
    """Decisions into ``raw_gate``; rows per table."""
    return _project(settings, engine, "raw_gate", GATE)


def project_decisions(settings: Settings, engine: Engine, business_ids: Collection[str]) -> int:
    """The decisions on some candidates into ``raw_gate_events``, where the worker reads those of its batch; rows.

    Without dlt, whose way into a table takes longer than the gate: nobody else reads these, and the next batch's follow.
    """
    named = gate_decisions.c.business_id.in_(sorted(business_ids))
    rows = _rows(engine, gate_decisions, named)
    with open_warehouse(settings, "decisions of a batch") as warehouse:
        warehouse.register("judged", rows)
        warehouse.execute("BEGIN")
        warehouse.execute("DELETE FROM raw_gate_events.decisions")
        warehouse.execute(
            "INSERT INTO raw_gate_events.decisions BY NAME "
            f"SELECT *, '{_OF_A_BATCH}' AS _dlt_load_id, decision_id AS _dlt_id FROM judged"
        )
        # Staging takes rows of completed loads alone.
        warehouse.execute("DELETE FROM raw_gate_events._dlt_loads")
        warehouse.execute(
            "INSERT INTO raw_gate_events._dlt_loads BY NAME "
            f"SELECT '{_OF_A_BATCH}' AS load_id, 0 AS status, now() AS inserted_at"
        )
        warehouse.execute("COMMIT")
    return len(rows)


def project_ledger(settings: Settings, engine: Engine) -> dict[str, int]:
    """Everything else, and the connection files, into ``raw_ledger``; rows per table."""
    return _project(settings, engine, "raw_ledger", LEDGER, {"connections": _connections(settings)})


def schema_of_table(table: Table) -> pa.Schema:
    """The Arrow schema of a state table as it is projected: without payload bytes."""
    return pa.schema(
        [
            pa.field(column.name, _arrow_type(column.type), nullable=bool(column.nullable))
            for column in table.columns
            if column.name not in PAYLOADS
        ]
    )


def _connections(settings: Settings) -> pa.Table:
    rows = [
        {
            **{name: getattr(each, name) for name in CONNECTIONS.names if hasattr(each, name)},
            "freshness_s": each.sla.freshness_s,
            "is_destination": each.destination is not None,
        }
        for each in load_connections(settings.connections_dir)
    ]
    return pa.Table.from_pylist(rows, schema=CONNECTIONS)


def _project(
    settings: Settings,
    engine: Engine,
    dataset: str,
    tables: Mapping[str, Table],
    more: Mapping[str, pa.Table] | None = None,
) -> dict[str, int]:
    projected = {name: _rows(engine, table) for name, table in tables.items()} | dict(more or {})
    replace_tables(settings, dataset, projected)
    return {name: table.num_rows for name, table in projected.items()}


def _rows(engine: Engine, table: Table, only: ColumnElement[bool] | None = None) -> pa.Table:
    """A state table's rows, or some of them, as they are projected."""
    return pa.Table.from_pylist(
        [_plain(row, table) for row in rows_of(engine, table, only)], schema=schema_of_table(table)
    )


def _plain(row: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """Lists as JSON text and amounts at the scale of the warehouse."""
    plain = dict(row)
    for column in table.columns:
        value = plain.get(column.name)
        if isinstance(column.type, JsonText):
            plain[column.name] = json.dumps(value, ensure_ascii=False, sort_keys=True)
        elif isinstance(value, Decimal):
            plain[column.name] = value.quantize(Decimal("0.0001"))
    return plain


def _arrow_type(column_type: object) -> pa.DataType:
    for kind, arrow_type in (
        (Instant, INSTANT),
        (Money, _MONEY),
        (Boolean, pa.bool_()),
        (Integer, pa.int64()),
    ):
        if isinstance(column_type, kind):
            return arrow_type
    return pa.string()
