"""What a decision was made on, in the words of its columns: the values that a controller compares with the papers.

Belongs here: which of the kept values are shown, and how. A value that is unknown is left out: where that matters, a rule
says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from quality.facts import SCHEMA as FACTS
from quality.intake import SCHEMA as CANDIDATES
from quality.wording import plain

_SHOWN: Mapping[str, tuple[str, ...]] = {
    "delivery": (
        "departed_at", "pod_id", "pod_captured_at", "pod_received_at", "pod_outcome", "handover_result_status",
        "delivered_quantity", "sealed_signature_count", "sealed_photo_count", "pod_distance_m", "time_quality",
    ),
    "amounts": (
        "net_total_amount", "tax_total_amount", "grand_total_amount", "line_count", "order_total_amount",
        "order_invoiced_amount", "max_price_difference_amount", "order_total_difference_amount", "fx_rate",
        "fx_rate_age_days", "invoice_limit_amount",
    ),
    "customer": (
        "bill_to_address", "vat_id", "po_no", "payment_terms", "credit_limit_amount", "customer_open_amount",
    ),
    "books": ("order_status", "delivery_date", "posting_date", "books_closed_until", "external_invoice_id"),
    "systems": ("erp_connection", "is_erp_available", "outbox_state", "stale_sources", "broken_inputs", "approved_by"),
}  # fmt: skip
_WIDTH = max(len(name) for names in _SHOWN.values() for name in names)


def looked_at(line: str) -> list[str]:
    """The values of a kept line, one below the other, in groups; of a candidate that came twice, those of both."""
    rows: list[dict[str, Any]] = json.loads(line)["rows"]
    return ["", "Looked at", *(told for row in rows for told in _row(row))]


def _row(row: Mapping[str, Any]) -> list[str]:
    lines = []
    for group, names in _SHOWN.items():
        shown = [(_label(name), _told(name, row)) for name in names if row.get(name) is not None]
        lines += [
            f"  {group if number == 0 else '':10}{label:{_WIDTH}}  {told}"
            for number, (label, told) in enumerate(shown)
        ]
    return lines


def _label(name: str) -> str:
    """A column in words: its unit stands with the value."""
    for end in ("_amount", "_at", "_m"):
        name = name.removesuffix(end)
    return (
        name.removeprefix("is_")
        .replace("_", " ")
        .replace("pod", "POD")
        .replace("erp", "ERP")
        .replace("vat", "VAT")
    )


def _told(name: str, row: Mapping[str, Any]) -> str:
    value = row[name]
    kind = (CANDIDATES if name in CANDIDATES.names else FACTS).field(name).type
    if pa.types.is_boolean(kind):
        return "yes" if value else "no"
    if pa.types.is_timestamp(kind):
        return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M:%S} UTC"
    if pa.types.is_decimal(kind):
        unit = f" {row['currency']}" if name.endswith("_amount") and row.get("currency") else ""
        return f"{plain(Decimal(value))}{unit}"
    return f"{value:.0f} m" if name.endswith("_m") else " ".join(str(value).split())
