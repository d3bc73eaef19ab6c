"""Running dbt inside this process: parse once, build a selection, let go of the warehouse file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import WaybillError
from core.settings import ROOT, Settings
from core.warehouse import writer_lock
from orchestration import project_cache
from orchestration.dbt_builds import definitions

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

PROJECT = ROOT / "dbt_project"
GOOD = frozenset({"success", "pass", "warn"})
"""What a node says of itself that nothing went wrong with."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one dbt node. ``seconds`` is its execution time, ``failures`` the rows a test found,
    ``compiled`` the SQL of a model, ``written`` the file with the statement that put its rows into its table."""

    unique_id: str
    status: str
    message: str
    seconds: float
    failures: int
    compiled: str | None = None
    schema: str = ""
    name: str = ""
    materialized: str = ""
    written: Path | None = None


@dataclass(frozen=True)
class Age:
    """How old a source table is. ``status`` is dbt's pass, warn, error or runtime error."""

    unique_id: str
    status: str
    newest: str
    hours: float


def parse(settings: Settings, *, event_path: bool = False) -> Manifest:
    """Parse the project and write ``manifest.json`` under the home; WaybillError when it does not parse.

    ``event_path``: as the worker builds it, what it chooses and reads in schemas of their own.
    """
    target = settings.dbt_target / "events" if event_path else settings.dbt_target
    # What is parsed is the same in every home: only the file's name, which is the database's, is in it.
    os.environ["WAYBILL_WAREHOUSE"] = settings.warehouse.name
    try:
        return _parsed(str(target), event_path, definitions(None))
    finally:
        os.environ["WAYBILL_WAREHOUSE"] = str(settings.warehouse)


@lru_cache(maxsize=4)
def _parsed(target: str, event_path: bool, definitions: str) -> Manifest:
    from dbt.cli.main import dbtRunner

    kind = "events" if event_path else "runs"
    # dbt compares it with every file, and reads anew what it was not made of.
    made = Path(target) / "partial_parse.msgpack"
    project_cache.fetch(made, kind, definitions)
    result = dbtRunner().invoke(["parse", *_common(target), "--vars", json.dumps({"event_path": event_path})])
    if not result.success:
        raise WaybillError(f"The dbt project does not parse: {result.exception}", remedy="Mend the model.")
    project_cache.keep(made, kind, definitions)
    manifest: Manifest = result.result
    return manifest


def build(
    settings: Settings,
    tag: str,
    variables: Mapping[str, str | None],
    parts: Sequence[Sequence[str]] | None = None,
) -> list[NodeResult]:
    """Build and test everything tagged ``tag`` under the writer lock; results of every node, in order.

    In ``parts``, the names of each, the lock is let go of between them. A failed node does not raise: the caller reports each result
    and decides; what would come after a part that failed is left out. WaybillError when dbt itself could not run.
    """
    selected = parts or [[f"tag:{tag}"]]
    # The manifest was written when it was parsed; results come back as objects.
    rest = ["--exclude-resource-type", "unit_test", "--no-write-json", "--vars", json.dumps(dict(variables))]
    results: list[NodeResult] = []
    for number, names in enumerate(selected, 1):
        what = f"build {tag}" + (f", part {number}" if len(selected) > 1 else "")
        found = _invoke(settings, what, ["build", "--select", *names, *rest]).results
        results += [_node_result(each) for each in found]
        if any(each.status not in GOOD for each in results):
            break
    return results


def rebuild(settings: Settings, variables: Mapping[str, str | None]) -> list[NodeResult]:
    """Build every model and seed without their tests; results of what failed. WaybillError when dbt could not run."""
    arguments = ["build", "--select", "tag:before_gate", "tag:outbound", "tag:after_push"]
    arguments += ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
    arguments += ["--no-write-json", "--vars", json.dumps(dict(variables))]
    results = [_node_result(each) for each in _invoke(settings, "build everything", arguments).results]
    return [each for each in results if each.status != "success"]


def build_events(settings: Settings, models: Sequence[str], variables: Mapping[str, Any]) -> list[NodeResult]:
    """Build the named models as the worker does, without their tests; results of every one, in order.

    A failed model does not raise. WaybillError when dbt itself could not run.
    """
    arguments = ["run", "--select", *models, "--no-write-json"]
    arguments += ["--vars", json.dumps(dict(variables) | {"event_path": True})]
    target = settings.dbt_target / "events"
    results = _invoke(settings, "build a batch of events", arguments, target, event_path=True).results
    return [_node_result(each) for each in results]


def freshness(settings: Settings) -> list[Age]:
    """How old the newest row of every watched source table is. WaybillError when dbt itself could not run."""
    arguments = ["source", "freshness", "--no-write-json"]
    return [_age(each) for each in _invoke(settings, "ask the sources' age", arguments).results]


def write_docs(settings: Settings, target: Path) -> Path:
    """The site of the project's documentation, one HTML file under ``target``, with the columns' types as the
    warehouse has them. WaybillError when dbt itself could not run."""
    _invoke(settings, "write the docs", ["docs", "generate", "--static"], target)
    return target / "static_index.html"


def _invoke(
    settings: Settings,
    what: str,
    arguments: Sequence[str],
    target: Path | None = None,
    *,
    event_path: bool = False,
) -> Any:
    """One dbt command over the parsed manifest, under the writer lock; the file is let go of afterwards."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    manifest = parse(settings, event_path=event_path)
    arguments = [*arguments, "--log-level-file", "none", *_common(str(target or settings.dbt_target))]
    with writer_lock(settings, f"dbt {what}"):
        try:
            result = dbtRunner(manifest=manifest).invoke(arguments)
        finally:
            DuckDBConnectionManager.close_all_connections()
    if result.result is None:
        raise WaybillError(
            f"dbt could not {what}: {result.exception}",
            remedy="Run the same with `dbt` in dbt_project to see all of it.",
        )
    return result.result


def _age(result: Any) -> Age:
    # A table that has no row yet has an age since the year 1.
    newest = getattr(result, "max_loaded_at", None)
    return Age(
        unique_id=result.node.unique_id,
        status=str(result.status),
        newest=newest.isoformat() if newest and newest.year > 1 else "none",
        hours=round(result.age / 3600, 1) if newest else 0.0,
    )


def _node_result(result: Any) -> NodeResult:
    written = getattr(result.node, "build_path", None)
    return NodeResult(
        unique_id=result.node.unique_id,
        status=str(result.status),
        message=str(result.message or ""),
        seconds=float(result.execution_time),
        failures=int(result.failures or 0),
        compiled=result.node.compiled_code if result.node.resource_type == "model" else None,
        schema=result.node.schema,
        name=result.node.alias,
        materialized=result.node.config.materialized,
        written=PROJECT / written if written else None,
    )


def _common(target: str) -> list[str]:
    return [
        "--project-dir",
        str(PROJECT),
        "--profiles-dir",
        str(PROJECT),
        "--target-path",
        target,
        "--log-path",
        str(Path(target).parent / "logs"),
        "--quiet",
        "--no-use-colors",
        "--no-send-anonymous-usage-stats",
        "--no-version-check",
    ]
