"""A day of the sources read again: one partition per day, launched in the UI for as many days as one likes.

Belongs here: which days there are, reading them, and rebuilding when that brought anything. No cursor moves, so
the hourly run goes on where it was; invoices are judged and posted by the hourly run alone.
"""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import dagster as dg

from orchestration.platform import Platform

if TYPE_CHECKING:
    from ingestion.run import Counts

log = logging.getLogger("waybill.backfill")

DAYS = dg.DailyPartitionsDefinition(start_date="2016-01-01", timezone="UTC", end_offset=1)
"""Days by the sources' own modification time, today included."""
SOURCE_DAYS = dg.AssetKey(["landing", "source_days"])


def backfill_assets() -> dg.AssetsDefinition:
    """What every source said on one day, read again."""

    @dg.multi_asset(
        name="backfill",
        specs=[
            dg.AssetSpec(
                key=SOURCE_DAYS,
                description=(
                    "One partition per day (UTC): the rows that the sources changed on it, read again without "
                    "moving a cursor; what was there already is counted as duplicate. A feed that knows no times "
                    "(Samsara's) is read from its beginning, and of that only the day is kept. When anything new "
                    "came, shipments and marts are built and published; invoices wait for the hourly run."
                ),
                group_name="landing",
                owners=["team:data-platform"],
                kinds={"dlt", "parquet"},
                partitions_def=DAYS,
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(
                "sources_answered", asset=SOURCE_DAYS, description="every connection answered for that day"
            )
        ],
        required_resource_keys={"platform"},
    )
    def _backfill(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        platform: Platform = context.resources.platform
        day = context.partition_time_window
        counts, failures = read_again(platform, context.run_id, (day.start, day.end))
        if any(each.loaded for each in counts):
            rebuild(platform)
        yield dg.MaterializeResult(
            asset_key=SOURCE_DAYS,
            metadata={
                "rows in": sum(each.rows_in for each in counts),
                "loaded": sum(each.loaded for each in counts),
                "duplicate": sum(each.duplicate for each in counts),
                "dead-lettered": sum(each.dead_lettered for each in counts),
                "parked": sum(each.parked for each in counts),
            },
        )
        yield dg.AssetCheckResult(
            asset_key=SOURCE_DAYS,
            check_name="sources_answered",
            passed=not failures,
            metadata=dict(failures),
        )

    return _backfill


def read_again(
    platform: Platform, run_id: str, window: tuple[datetime, datetime]
) -> tuple["list[Counts]", dict[str, str]]:
    """One window of every live connection, parents first; counts, and the message of each that failed."""
    from orchestration.ingest_assets import KIND_ORDER, ingest_kind

    counts: list[Counts] = []
    failures: dict[str, str] = {}
    for kind in KIND_ORDER:
        found, failed = ingest_kind(platform, kind, run_id, window)
        counts += found
        failures |= failed
    return counts, failures


def rebuild(platform: Platform) -> None:
    """Shipments, marts and the serving copy from what is there now. dg.Failure when a model fails."""
    from orchestration.dbt_assets import build_or_fail
    from orchestration.serving import publish

    for tag in ("before_gate", "after_push"):
        build_or_fail(platform, tag)
    log.info("published %d tables", publish(platform.settings))
