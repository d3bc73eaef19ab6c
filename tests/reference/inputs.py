"""Raw rows as Polars frames, one current version of each: what the reference computes from.

Belongs here: the choice of versions, and nothing that a metric means. Shares no code with the SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa

from contracts.arrow import INSTANT, schema_of
from contracts.resources import RESOURCES

Rows = Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]
_OF_PARENT = {
    ("erp", "order_lines"): ("orders", "order_id"),
    ("erp", "invoice_lines"): ("invoices", "invoice_id"),
    ("dispatch", "consignment_lines"): ("consignments", "consignment_id"),
    ("pod", "delivered_lines"): ("proofs", "pod_id"),
    ("dispatch", "consignment_charges"): ("consignments", "consignment_id"),
}
"""Lines belong to a version of their document: only those of its current version count."""
_STATE = {
    "decisions": ("business_id", "shipment_no", "decision_id", "verdict", "decided_at", "sequence"),
    "outbox": (
        "shipment_no",
        "decision_id",
        "state",
        "idempotency_key",
        "business_id",
        "destination",
        "enqueued_at",
        "updated_at",
    ),
    "push_attempts": ("idempotency_key", "outcome", "ended_at"),
    "dead_letters": (
        "dead_letter_id",
        "connection",
        "kind",
        "resource",
        "source_id",
        "raw_sha256",
        "source_version",
        "shipment_ref",
        "reason",
        "status",
        "received_at",
    ),
    "ingest_counts": ("connection", "source", "resource", "loaded", "counted_at"),
    "observations": ("connection", "ok", "observed_at"),
    "entries": ("subject", "event", "recorded_at"),
    "connections": ("connection", "lifecycle", "freshness_s", "requested_at"),
    "receipts": ("shipment_no", "idempotency_key", "posted_at"),
}
_MOMENTS = ("source_version",)
_NUMBERS = ("sequence", "loaded", "freshness_s")


class Inputs:
    """``inputs["erp", "orders"]`` is the frame of the current orders."""

    def __init__(self, rows: Rows, as_of: datetime, first_version: datetime) -> None:
        self.as_of = as_of
        self._every = {
            (each.kind, each.name): _frame(each.contract, rows.get((each.kind, each.name), ()), first_version)
            for each in RESOURCES
        }
        self._frames = {table: _current(*table, frame) for table, frame in self._every.items()}
        for (kind, name), (parent, key) in _OF_PARENT.items():
            heads = self._frames[kind, parent].select("source_system", key, "source_version")
            self._frames[kind, name] = self._every[kind, name].join(heads, on=heads.columns, how="semi")
        for name, columns in _STATE.items():
            kind = "gate" if name == "decisions" else "ledger"
            self._frames[kind, name] = _state(rows.get((kind, name), ()), columns)

    def __getitem__(self, table: tuple[str, str]) -> pl.DataFrame:
        return self._frames[table]


def _frame(contract: Any, rows: Sequence[Mapping[str, Any]], first_version: datetime) -> pl.DataFrame:
    schema = schema_of(contract)
    for name, kind in (("source_system", pa.string()), ("source_version", INSTANT)):
        schema = schema.append(pa.field(name, kind))
    defaults = {name: info.default for name, info in contract.model_fields.items() if not info.is_required()}
    full = [{"source_version": first_version, **defaults, **row} for row in rows]
    frame = pl.from_arrow(pa.Table.from_pylist(full, schema=schema))
    assert isinstance(frame, pl.DataFrame)
    return frame


def _current(kind: str, name: str, frame: pl.DataFrame) -> pl.DataFrame:
    contract = next(each.contract for each in RESOURCES if (each.kind, each.name) == (kind, name))
    return frame.sort("source_version").unique(
        ["source_system", *contract.key], keep="last", maintain_order=True
    )


def _state(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pl.DataFrame:
    kinds: dict[str, pl.DataType] = {
        name: pl.Datetime("us", "UTC") if name in _MOMENTS or name.endswith("_at") else pl.String()
        for name in columns
    }
    kinds |= {name: pl.Int64() for name in _NUMBERS if name in columns}
    kinds |= {"ok": pl.Boolean()} if "ok" in columns else {}
    return pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], schema=kinds)
