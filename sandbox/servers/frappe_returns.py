"""What ERPNext asks of a credit note: a submitted invoice of the same parties, and quantities below nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.servers.frappe_errors import FrappeError

_SAME = ("company", "customer", "currency")


def check_return(note: Mapping[str, Any], against: Mapping[str, Any]) -> None:
    """FrappeError, in ERPNext's words, when the credit note does not fit the invoice that it names."""
    name = note["return_against"]
    if int(against.get("docstatus") or 0) != 1 or against.get("is_return"):
        raise FrappeError("ValidationError", f"Return Against {name} must be a submitted invoice")
    for field in _SAME:
        if note.get(field) != against.get(field):
            raise FrappeError("ValidationError", f"{field} must be same as Return Against {name}")
    lines = note.get("items") or []
    if any(float(line.get("qty") or 0) > 0 for line in lines):
        raise FrappeError("ValidationError", "Quantity must be negative in a return document")
    if not any(float(line.get("qty") or 0) < 0 for line in lines):
        raise FrappeError(
            "ValidationError", "At least one item should be entered with negative quantity in return document"
        )
