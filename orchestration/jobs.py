"""The jobs and when they run."""

from __future__ import annotations

import dagster as dg

from orchestration.backfill import SOURCE_DAYS
from orchestration.reconcile_assets import RECONCILED

ORDER_TO_INVOICE = "order_to_invoice"
# A process per step would cost seconds each, and the steps share the warehouse's one writer anyway.
ONE_PROCESS = dg.in_process_executor
# A run whose process was killed is launched anew from its beginning: what it had read and judged is older by then.
_WHOLE = {"dagster/retry_strategy": "ALL_STEPS"}


def schedules(freshness: dg.AssetChecksDefinition) -> list[dg.ScheduleDefinition]:
    """Every schedule with its job."""
    return [
        _schedule("hourly", order_to_invoice(freshness), "0 * * * *", "Every hour on the hour."),
        _schedule(
            "half_past", source_freshness(freshness), "30 * * * *", "Between two runs, and when none ran."
        ),
        _schedule("daily", daily_reconciliation(), "15 3 * * *", "Every night, between two runs."),
    ]


def order_to_invoice(freshness: dg.AssetChecksDefinition) -> dg.UnresolvedAssetJobDefinition:
    """Everything from the sources to the serving copy. How old the sources are is asked apart from it."""
    return dg.define_asset_job(
        name=ORDER_TO_INVOICE,
        selection=dg.AssetSelection.all()
        - dg.AssetSelection.assets(SOURCE_DAYS, RECONCILED)
        - dg.AssetSelection.checks(freshness),
        description="Read every source, build the shipment, gate, post what passed, measure, publish.",
        # Runs go one after the other; days that are read again wait for the hourly run.
        tags={"dagster/priority": "1", **_WHOLE},
        executor_def=ONE_PROCESS,
    )


def backfill_day() -> dg.UnresolvedAssetJobDefinition:
    """One day of the sources again; several days are launched as a backfill of it."""
    return dg.define_asset_job(
        name="backfill_day",
        selection=dg.AssetSelection.assets(SOURCE_DAYS),
        description="Read one day of every source again without moving a cursor; rebuild when anything was new.",
        tags=_WHOLE,
        executor_def=ONE_PROCESS,
    )


def daily_reconciliation() -> dg.UnresolvedAssetJobDefinition:
    """What the ERP holds against what was acknowledged, and nothing else."""
    return dg.define_asset_job(
        name="daily_reconciliation",
        selection=dg.AssetSelection.assets(RECONCILED),
        description="Compare released, acknowledged and posted invoices; a difference stops the push.",
        # Before the next hourly run: what it finds is to stop that one's push.
        tags={"dagster/priority": "2", **_WHOLE},
        executor_def=ONE_PROCESS,
    )


def source_freshness(checks: dg.AssetChecksDefinition) -> dg.UnresolvedAssetJobDefinition:
    """dbt's source freshness and nothing else."""
    return dg.define_asset_job(
        name="source_freshness",
        selection=dg.AssetSelection.checks(checks),
        description="Ask how old the newest row of every source is.",
        executor_def=ONE_PROCESS,
    )


def _schedule(
    name: str, job: dg.UnresolvedAssetJobDefinition, cron: str, description: str
) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )
