"""A source that answers and has nothing to tell, where it always had something.

Belongs here: the warning about it, in the first run in which nothing came. A source that did not answer at all has a
check of its own.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from sqlalchemy import Engine

NAME = "rows_came"
ALWAYS = 3
"""Runs in a row that have to have brought rows before none is worth a word: an unchanged folder of files brings none."""


def spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check beside the first asset of a kind of systems."""
    return dg.AssetCheckSpec(
        NAME, asset=key, description=f"rows came wherever each of the {ALWAYS} runs before brought some"
    )


def result(
    key: dg.AssetKey, engine: Engine, kind: str, run_id: str, failed: Collection[str]
) -> dg.AssetCheckResult:
    """A warning that holds nothing up; by connection and resource what came before. ``failed`` connections are left out."""
    from state.ingest_counts import fallen_silent

    silent = fallen_silent(engine, run_id, f"raw_{kind}", ALWAYS)
    told = {
        f"{connection} {resource}": f"it answered with no row; the last run brought {before}"
        for (connection, resource), before in silent.items()
        if connection not in failed
    }
    return dg.AssetCheckResult(
        asset_key=key, check_name=NAME, passed=not told, severity=dg.AssetCheckSeverity.WARN, metadata=dict(told)
    )  # fmt: skip
