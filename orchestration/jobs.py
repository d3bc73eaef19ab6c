"""The one job and its one schedule."""

from __future__ import annotations

import dagster as dg

ORDER_TO_INVOICE = dg.define_asset_job(
    name="order_to_invoice",
    selection=dg.AssetSelection.all(),
    description="Read every source, build the shipment, gate, post what passed, measure, publish.",
    # A process per step would cost seconds each, and the steps share the warehouse's one writer anyway.
    executor_def=dg.in_process_executor,
)

HOURLY = dg.ScheduleDefinition(
    name="hourly",
    job=ORDER_TO_INVOICE,
    cron_schedule="0 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every hour on the hour.",
)
