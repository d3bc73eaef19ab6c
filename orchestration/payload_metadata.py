"""The document that is sent as Dagster shows it: its fields, and the columns that each is made of.

Belongs here: describing the payload. What it is made of says ``activation``; where those columns come
from, the lineage of the models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from activation import document, exception_alert, fulfilment
from contracts.exception_alert import ExceptionAlertDocument
from contracts.fulfilment import FulfilmentDocument
from contracts.invoice import InvoiceDocument
from contracts.outbound import OutboundDocument
from core.flows import EXCEPTION_ALERT, FULFILMENT, INVOICE, Flow
from core.settings import Settings
from orchestration.column_metadata import Behind, kept_lineage, lineage_entry, schema_entry
from orchestration.column_origins import by_relation, described, origins

_LINES = "lines"


@dataclass(frozen=True)
class _Payload:
    """A flow's document: its fields' columns, and of one with lines what a line is, and the model and column in which they are
    written as JSON."""

    document: type[OutboundDocument]
    columns: Mapping[str, tuple[str, ...]]
    line: str | None = None
    written_in: tuple[str, str] = ("", "")


_PAYLOADS = {
    FULFILMENT.operation: _Payload(
        FulfilmentDocument,
        fulfilment.FIELD_COLUMNS,
        "FulfilmentLine",
        ("model.waybill.int_confirmed_lines", "lines_json"),
    ),
    INVOICE.operation: _Payload(
        InvoiceDocument,
        document.FIELD_COLUMNS,
        "InvoiceDocumentLine",
        ("model.waybill.int_candidate_totals", "lines_json"),
    ),
    EXCEPTION_ALERT.operation: _Payload(ExceptionAlertDocument, exception_alert.FIELD_COLUMNS),
}


def payload_entries(settings: Settings, flow: Flow) -> dict[str, dg.MetadataValue]:
    """``dagster/column_schema`` and ``dagster/column_lineage`` of the fields of a flow's document."""
    payload = _PAYLOADS[flow.operation]
    schema = payload.document.model_json_schema(mode="serialization")
    line = schema["$defs"][payload.line]["properties"] if payload.line else {}
    fields = schema["properties"] | {f"{_LINES}.{name}": each for name, each in line.items()}
    fields.pop(_LINES, None)
    behind = _behind(settings, payload, ("outbound", flow.outbound), list(line))
    known = by_relation(*(kept_lineage(settings, tag) for tag in ("before_gate", "outbound")))
    descriptions = {
        name: described(each.get("description"), behind[name], origins(_own(name, payload, behind), known))
        for name, each in fields.items()
    }
    return {
        "dagster/column_schema": schema_entry(
            {name: _json_type(each) for name, each in fields.items()}, descriptions
        ),
        "dagster/column_lineage": lineage_entry(behind),
    }


def _own(field: str, payload: _Payload, behind: Behind) -> list[list[str]]:
    """What a field is made of; of a line's, its key alone and not the column that holds whole lines."""
    keys = behind[field][len(payload.columns[_LINES]) :] if field.startswith(f"{_LINES}.") else []
    return keys or behind[field]


def _behind(
    settings: Settings, payload: _Payload, outbound: tuple[str, str], line_fields: list[str]
) -> Behind:
    columns: Behind = {
        field: [[*outbound, column] for column in payload.columns[field]]
        for field in payload.columns
        if field != _LINES
    }
    model, column = payload.written_in
    keys = kept_lineage(settings, "before_gate").get(model, {}).get("json", {}).get(column, {})
    for field in line_fields:
        columns[f"{_LINES}.{field}"] = [
            *([*outbound, each] for each in payload.columns[_LINES]),
            *(list(each) for each in keys.get(field, ())),
        ]
    return columns


def _json_type(described: Mapping[str, Any]) -> str:
    """``string``, ``date``, or what it may be besides null."""
    if "anyOf" in described:
        return ", ".join(_json_type(each) for each in described["anyOf"] if each.get("type") != "null")
    return str(described.get("format") or described.get("type", "any"))
