"""Running the one job in this process, against the installation's own Dagster instance."""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
from filelock import FileLock

from core.settings import Settings
from orchestration.definitions import build_definitions
from orchestration.jobs import ORDER_TO_INVOICE
from orchestration.push_assets import PUSHED

_INSTANCE = """\
telemetry:
  enabled: false
# No form that asks for an address before anything can be seen.
nux:
  enabled: false
python_logs:
  managed_python_loggers:
    - waybill
event_log_storage:
  module: orchestration.event_log
  class: KeptOpenEventLog
  config:
    home:
      env: DAGSTER_HOME
# A run whose process was killed is marked as failed within half a minute, and launched anew.
run_launcher:
  module: orchestration.run_processes
  class: WatchedRunLauncher
run_monitoring:
  enabled: true
  poll_interval_seconds: 30
  start_timeout_seconds: 300
run_retries:
  enabled: true
  max_retries: 2
  retry_on_asset_or_op_failure: false
# One writer holds the warehouse, so runs queue instead of waiting for its lock one inside the other.
concurrency:
  runs:
    max_concurrent_runs: 1
"""
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class RunOutcome:
    """What one execution of the job gave. ``seconds`` is by step; ``problems`` is empty when all is well."""

    run_id: str
    seconds: dict[str, float]
    push: dict[str, Any]
    problems: list[str] = field(default_factory=list)


def prepare_instance(settings: Settings) -> Path:
    """The installation's DAGSTER_HOME, with its configuration and its files made once and its name made known."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(home)
    config = home / "dagster.yaml"
    with FileLock(home / "making.lock"):
        if not config.exists():
            config.write_text(_INSTANCE, encoding="utf-8")
        if not (home / "schedules").exists():
            # Several processes that make Dagster's files at once leave files that none of them can open.
            with dg.DagsterInstance.from_config(str(home)) as instance:
                instance.all_asset_keys(), instance.get_runs_count(), instance.all_instigator_state()
    return home


def warm_up(settings: Settings) -> None:
    """Do what a run does first and what needs no source: parse dbt's project, import the slow libraries."""
    from orchestration.dbt_manifest import load_manifest
    from quality.runtime import import_gx

    load_manifest(settings)
    import_gx()


def run_once(settings: Settings) -> RunOutcome:
    """Execute ``order_to_invoice`` here and now; problems are told, not raised, but for Ctrl-C (``KeyboardInterrupt``)."""
    job = build_definitions(settings).resolve_job_def(ORDER_TO_INVOICE)
    _spare_the_collector()
    with dg.DagsterInstance.from_config(str(prepare_instance(settings))) as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False, run_config=_QUIET)
        stats = instance.get_run_step_stats(result.run_id)
    if _was_stopped(result):
        raise KeyboardInterrupt
    return RunOutcome(
        run_id=result.run_id,
        seconds={
            each.step_key: round(each.end_time - each.start_time, 2)
            for each in sorted(stats, key=lambda each: each.start_time or 0)
            if each.end_time and each.start_time
        },
        push=_push_metadata(result),
        problems=_problems(result),
    )


def _spare_the_collector() -> None:
    """Keep the garbage collector from walking the libraries' millions of long-lived objects all the time."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def _was_stopped(result: dg.ExecuteInProcessResult) -> bool:
    """Whether Ctrl-C ended a step: Dagster turns it into a failure, and whoever called would go on with the next thing."""
    errors = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    names = {each.cls_name for error in errors if error for each in (error, error.cause) if each}
    return dg.DagsterExecutionInterruptedError.__name__ in names


def _push_metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    for event in result.all_events:
        if event.is_step_materialization and event.asset_key == PUSHED:
            metadata = event.step_materialization_data.materialization.metadata
            return {name: value.value for name, value in metadata.items()}
    return {}


def _problems(result: dg.ExecuteInProcessResult) -> list[str]:
    """Failed steps and failed checks that are errors, in words for a terminal."""
    told: list[str] = []
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            cause = error.cause or error if error else None
            told.append(f"{event.step_key}: {cause.message.strip() if cause else 'failed'}")
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR:
                detail = "; ".join(str(each.value) for each in check.metadata.values())
                told.append(f"check {check.check_name} on {check.asset_key.to_user_string()}: {detail}")
    return told
