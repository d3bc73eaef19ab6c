"""Schedules that should have ticked and did not: Dagster's daemon is dead, or was never started again.

Belongs here: finding that out from what the daemon has written, and the check that tells it. The worker asks every minute,
since it lives without the daemon; each run asks as well.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData
from dagster._utils.schedules import cron_string_iterator

from core.clock import utc_now
from orchestration.serving import SERVING

NAME = "schedules_tick"
GRACE = timedelta(minutes=10)
"""So late a tick may be: a daemon that starts has to load everything first."""
REMEDY = "start the daemon again (`waybill up`, or `dagster-daemon run`)"


def overdue(instance: dg.DagsterInstance, now: datetime) -> dict[str, str]:
    """Schedule → what is wrong with it, of those that the daemon ever took up and nobody stopped."""
    told = {}
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
        due = _due(state, now)
        if due is None:
            continue
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
        last = datetime.fromtimestamp(ticks[0].timestamp, UTC) if ticks else None
        if last is None or last < due:
            known = f"the last was that of {last:%Y-%m-%d %H:%M}" if last else "it never ticked"
            told[state.name] = f"the tick of {due:%Y-%m-%d %H:%M} UTC did not come, {known}: {REMEDY}"
    return told


def _due(state: InstigatorState, now: datetime) -> datetime | None:
    """The newest tick that must have been, None when none must."""
    data = state.instigator_data
    if state.status == InstigatorStatus.STOPPED or not isinstance(data, ScheduleInstigatorData):
        return None
    crons = [data.cron_schedule] if isinstance(data.cron_schedule, str) else data.cron_schedule
    latest = (now - GRACE).timestamp()
    due = max(next(cron_string_iterator(latest, each, "UTC", ascending=False)) for each in crons)
    if data.start_timestamp is None or due.timestamp() < data.start_timestamp:
        return None
    return due.astimezone(UTC)


def tick_check() -> dg.AssetChecksDefinition:
    """The check on what every complete run ends with."""

    @dg.asset_check(asset=SERVING, name=NAME, description="Every schedule ticked when it was due.")
    def _ticks(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        told = overdue(context.instance, utc_now())
        return dg.AssetCheckResult(passed=not told, severity=dg.AssetCheckSeverity.WARN, metadata=dict(told))

    return _ticks


class Watch:
    """The worker's eye on the schedules: tells Dagster and the log once when they fall silent, and once when they are back."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._told: dict[str, str] = {}

    def look(self, now: datetime) -> dict[str, str] | None:
        """What is wrong now, None when that is as it was told."""
        found = overdue(self._instance, now)
        if found == self._told:
            return None
        self._told = found
        self._instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=SERVING, check_name=NAME, passed=not found,
                severity=dg.AssetCheckSeverity.WARN, metadata=dict(found),
            )
        )  # fmt: skip
        return found
