"""One reason of a decision in words that a controller can act on. No judgement here."""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from quality.policy import Policy
from quality.rule import Rule
from quality.rules import disposition

UNKNOWN = "unknown"


class _Plain(string.Formatter):
    """Formats values as people write them: no type names, no trailing zeros, instants to the second."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is None:
            return UNKNOWN
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, datetime):
            return f"{value:%Y-%m-%d %H:%M:%S} UTC"
        if isinstance(value, Decimal):
            return plain(value)
        if isinstance(value, float):
            return f"{value:.0f}"
        return format(value, format_spec)


def plain(value: Decimal) -> str:
    """A decimal without trailing zeros, but with two decimals when it has a fraction."""
    text = f"{value.normalize():f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(2, '0')}" if fraction else whole


def told(rule: Rule, row: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    """One reason: code, what was seen, what was expected, what to do, who, and how grave."""
    values = {**row, **{f"tolerance_{name}": value for name, value in policy.tolerances}}
    formatter = _Plain()
    return {
        "code": rule.code,
        "seen": formatter.vformat(rule.seen, (), values),
        "expected": formatter.vformat(rule.expected, (), values),
        "remedy": rule.remedy,
        "owner": rule.owner,
        "disposition": disposition(rule.code, policy),
    }
