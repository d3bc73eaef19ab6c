"""The document that is sent as Dagster shows it: its fields, and the columns that each is made of.

Belongs here: describing the payload. What it is made of says ``activation.document``; where those columns come
from, the lineage of the models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from activation.document import FIELD_COLUMNS
from contracts.invoice import InvoiceDocument
from core.settings import Settings
from orchestration.column_metadata import Behind, kept_lineage, lineage_entry, schema_entry
from orchestration.column_origins import by_relation, described, origins

_LINES = "lines"
_WRITTEN_IN = ("model.waybill.int_candidate_totals", "lines_json")
"""The model that writes the lines as JSON, and the column that holds them from there on."""


def payload_entries(settings: Settings, outbound: dg.AssetKey) -> dict[str, dg.MetadataValue]:
    """``dagster/column_schema`` and ``dagster/column_lineage`` of the document's fields."""
    schema = InvoiceDocument.model_json_schema(mode="serialization")
    line = schema["$defs"]["InvoiceDocumentLine"]["properties"]
    fields = schema["properties"] | {f"{_LINES}.{name}": each for name, each in line.items()}
    fields.pop(_LINES)
    behind = _behind(settings, outbound, list(line))
    known = by_relation(*(kept_lineage(settings, tag) for tag in ("before_gate", "outbound")))
    descriptions = {
        name: described(each.get("description"), behind[name], origins(_own(name, behind), known))
        for name, each in fields.items()
    }
    return {
        "dagster/column_schema": schema_entry(
            {name: _json_type(each) for name, each in fields.items()}, descriptions
        ),
        "dagster/column_lineage": lineage_entry(behind),
    }


def _own(field: str, behind: Behind) -> list[list[str]]:
    """What a field is made of; of a line's, its key alone and not the column that holds whole lines."""
    keys = behind[field][len(FIELD_COLUMNS[_LINES]) :] if field.startswith(f"{_LINES}.") else []
    return keys or behind[field]


def _behind(settings: Settings, outbound: dg.AssetKey, line_fields: list[str]) -> Behind:
    columns: Behind = {
        field: [[*outbound.path, column] for column in FIELD_COLUMNS[field]]
        for field in FIELD_COLUMNS
        if field != _LINES
    }
    model, column = _WRITTEN_IN
    keys = kept_lineage(settings, "before_gate").get(model, {}).get("json", {}).get(column, {})
    for field in line_fields:
        columns[f"{_LINES}.{field}"] = [
            *([*outbound.path, each] for each in FIELD_COLUMNS[_LINES]),
            *(list(each) for each in keys.get(field, ())),
        ]
    return columns


def _json_type(described: Mapping[str, Any]) -> str:
    """``string``, ``date``, or what it may be besides null."""
    if "anyOf" in described:
        return ", ".join(_json_type(each) for each in described["anyOf"] if each.get("type") != "null")
    return str(described.get("format") or described.get("type", "any"))
