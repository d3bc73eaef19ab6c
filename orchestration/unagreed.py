"""What came that nobody agreed on: an unknown status, a new field, an address that leads elsewhere.

Belongs here: the warning about it, in the run that met it first. The rows themselves are judged by ingestion.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from sqlalchemy import Engine

NAME = "nothing_unagreed"
ALARMING = ("STATUS_UNKNOWN", "URL_REFUSED")
"""Reasons that tell of a changed source or of an attempt to lead us astray, not of one bad row."""
_MOST_TOLD = 10


def spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check beside the first asset of a kind of systems."""
    return dg.AssetCheckSpec(
        NAME,
        asset=key,
        description="no status, field or address that nobody agreed on came for the first time",
    )


def result(key: dg.AssetKey, engine: Engine, kind: str, run_id: str) -> dg.AssetCheckResult:
    """A warning that holds nothing up; by connection and resource what to look at."""
    told = met_in(engine, kind, run_id)
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=NAME,
        passed=not told,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=dict(told),
    )


def met_in(engine: Engine, kind: str, run_id: str) -> dict[str, str]:
    """Connection and resource → what this run met there first."""
    from state import dead_letters, source_fields

    told: defaultdict[str, list[str]] = defaultdict(list)
    for letter in dead_letters.of_run(engine, run_id, kind, ALARMING):
        told[f"{letter.connection} {letter.resource}"].append(f"{letter.reason}: {letter.detail}")
    for each in source_fields.drift(engine):
        if (each.kind, each.first_run_id) == (kind, run_id):
            told[f"{each.connection} {each.resource}"].append(f"unknown field {each.field!r}")
    return {name: "; ".join(details[:_MOST_TOLD]) for name, details in told.items()}


def rows_of(engine: Engine, kind: str) -> dict[str, int]:
    """Resource → rows so far that held a field which nobody agreed on, counted per field."""
    from state import source_fields

    rows: defaultdict[str, int] = defaultdict(int)
    for each in source_fields.drift(engine):
        if each.kind == kind:
            rows[each.resource] += each.row_count
    return rows
