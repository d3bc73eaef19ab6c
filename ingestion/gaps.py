"""Whether the warehouse still has what was loaded into it: a file whose log was cut short opens as if nothing were missing.

Belongs here: comparing what dlt says it has loaded with what is there. What is done about a gap is ``warehouse``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb

from contracts.resources import RESOURCES
from core.settings import Settings
from ingestion.known import table_exists

_DATASETS = {each.dataset for each in RESOURCES}
"""What is loaded from landing. Projections of the state are made anew by each run."""
_LOADED = "loaded"


def gap(settings: Settings, warehouse: duckdb.DuckDBPyConnection) -> str | None:
    """The newest load of a pipeline that the warehouse does not have, in words; None when it has them all.

    A log is lost from its end: whoever has the newest has those before it.
    """
    for pipeline, dataset, load_id in _newest_loads(settings):
        there = (
            table_exists(warehouse, dataset, "_dlt_loads")
            and warehouse.execute(
                f"SELECT 1 FROM {dataset}._dlt_loads WHERE load_id = ?", [load_id]
            ).fetchone()
        )
        if not there:
            return f"{pipeline} loaded {load_id} into {dataset}, and it is not there"
    return None


def _newest_loads(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Pipeline, dataset and newest completed load, of those that have one; dlt keeps a folder of each load."""
    for state in sorted(settings.dlt_dir.glob("*/state.json")):
        dataset = json.loads(state.read_text()).get("dataset_name")
        loads = sorted((state.parent / "load" / _LOADED).glob("*"), key=lambda each: float(each.name))
        done = (each.name for each in reversed(loads) if _is_done(each))
        if dataset in _DATASETS and (newest := next(done, None)):
            yield state.parent.name, dataset, newest


def _is_done(load: Path) -> bool:
    """Not one that was given up."""
    return (load / "package_completed.json").read_text() == _LOADED
