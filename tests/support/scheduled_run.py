"""A scheduled run in this process with the worker's batches between its parts, on a small world of the sandbox.

Belongs here: the steps of ``order_to_invoice`` as the assets call them, without Dagster around, and a place to do something
whenever a step has let go of the warehouse. What partners send meanwhile is said by the test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.flows import FLOWS
from core.warehouse import open_warehouse
from ingestion.ledger import project_gate, project_ledger
from orchestration import dbt_assets, dbt_runner
from orchestration.corrections import draft_corrections
from orchestration.dbt_manifest import load_manifest
from orchestration.dbt_parts import parts_of
from orchestration.dbt_runner import GOOD, NodeResult
from orchestration.platform import Platform
from orchestration.push_assets import push_released
from quality.gate import GateResult, gate

Between = Callable[[str], None]
"""What happens after a step or part of this name, when nobody holds the warehouse."""


def nothing(_step: str) -> None:
    """In an hour in which nobody sends anything."""


def scheduled(platform: Platform, run_id: str, between: Between | None = None) -> dict[str, GateResult]:
    """Everything from the candidates to the marts, in parts where somebody comes between them; verdicts by operation."""
    settings, engine = platform.settings, platform.engine
    _build(platform, "before_gate", between)
    results = {flow.operation: gate(settings, engine, platform.connections, run_id, flow) for flow in FLOWS}
    draft_corrections(platform, run_id)
    project_gate(settings, engine)
    (between or nothing)("gate")
    _build(platform, "outbound", between)
    push_released(platform)
    (between or nothing)("push")
    project_ledger(settings, engine)
    _build(platform, "after_push", between)
    return results


def _build(platform: Platform, tag: str, between: Between | None) -> None:
    variables = dbt_assets.run_variables(platform)
    parts = parts_of(load_manifest(platform.settings), tag, dbt_assets._PARTS) if between else None
    with pytest.MonkeyPatch.context() as patch:
        if between is not None:
            patch.setattr(dbt_runner, "_invoke", _telling(dbt_runner._invoke, between))
        results = dbt_runner.build(platform.settings, tag, variables, parts)
    refuse(results)
    with open_warehouse(platform.settings, f"checkpoint {tag}") as warehouse:
        warehouse.execute("CHECKPOINT")


def _telling(invoke: Callable[..., Any], between: Between) -> Callable[..., Any]:
    def and_tell(settings: Any, what: str, *rest: Any, **more: Any) -> Any:
        result = invoke(settings, what, *rest, **more)
        if ", part " in what:
            between(what)
        return result

    return and_tell


def refuse(results: list[NodeResult]) -> None:
    bad = [(each.unique_id, each.status, each.message) for each in results if each.status not in GOOD]
    assert not bad, bad[:5]
