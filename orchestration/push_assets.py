"""The push of released invoices, and the ledger's way back into the warehouse."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb

from core.errors import WaybillError
from core.warehouse import open_warehouse
from orchestration.column_metadata import arrow_entry
from orchestration.platform import Platform

if TYPE_CHECKING:
    from activation.push import PushResult

log = logging.getLogger("waybill.push")

PUSHED = dg.AssetKey(["erp", "invoices"])
OUTBOUND = dg.AssetKey(["outbound", "outbound_erp__invoices"])
_RELEASED = "outbound.outbound_erp__invoices"
LEDGER_TABLES = (
    "outbox",
    "push_attempts",
    "receipts",
    "dead_letters",
    "ingest_counts",
    "observations",
    "connections",
    "entries",
)


def outbound_rows(platform: Platform, relation: str = _RELEASED) -> list[dict[str, Any]]:
    """The rows of ``outbound_erp__invoices``, decimals and instants as Python's own; WaybillError before the first run."""
    with open_warehouse(platform.settings, "push") as warehouse:
        try:
            table = warehouse.execute(f"SELECT * FROM {relation}").to_arrow_table()
        except duckdb.CatalogException as error:
            raise WaybillError("Nothing was released yet.", remedy="Run `waybill run` first.") from error
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def push_assets() -> dg.AssetsDefinition:
    """The ERP's invoices as an asset: what was posted, found posted before, or failed."""

    @dg.multi_asset(
        name="push",
        specs=[
            dg.AssetSpec(
                key=PUSHED,
                deps=[OUTBOUND],
                description="Customer invoices in the ERP: posted once, read back, acknowledged.",
                group_name="outbound",
                owners=["team:finance-systems"],
                kinds={"http"},
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(
                "all_released_are_posted",
                asset=PUSHED,
                description="No released invoice failed, is held or is waiting, but those that two people cancelled.",
            )
        ],
        required_resource_keys={"platform"},
    )
    def _push(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        from orchestration.payload_metadata import payload_entries

        platform: Platform = context.resources.platform
        result = push_released(platform)
        yield dg.MaterializeResult(
            asset_key=PUSHED,
            metadata={
                **payload_entries(platform.settings, OUTBOUND),
                "dagster/row_count": result.posted,
                "candidates": result.candidates,
                "posted": result.posted,
                "already posted": result.already_posted,
                "failed": result.failed,
                "held": result.held,
                "blocked at recheck": result.blocked_at_recheck,
                "cancelled": result.cancelled,
                "amounts": dg.MetadataValue.json(
                    {code: str(amount) for code, amount in result.amount_by_currency.items()}
                ),
            },
        )
        yield dg.AssetCheckResult(
            asset_key=PUSHED,
            check_name="all_released_are_posted",
            passed=result.failed == 0 and result.held == 0,
            metadata={"errors": dg.MetadataValue.json(result.errors[:50])},
        )

    return _push


def push_released(platform: Platform, limit: int | None = None) -> "PushResult":
    """Push what the gate released to the connection each row names; so many at most, where a limit is given."""
    return push_rows(platform, outbound_rows(platform), None, limit)


def push_rows(
    platform: Platform, rows: list[dict[str, Any]], patience_s: float | None, limit: int | None = None
) -> "PushResult":
    """Push these rows and whatever else is due; what is not due within ``patience_s`` seconds waits for the next push.
    None: as long as a push usually waits."""
    from activation.push import push
    from state.heads import signed_after

    with signed_after(platform.settings, platform.engine):
        result = push(platform.engine, platform.connections, rows, limit, patience_s)
    log.info(
        "push: %d posted, %d already posted, %d failed",
        result.posted,
        result.already_posted,
        result.failed,
    )
    return result


def ledger_assets() -> dg.AssetsDefinition:
    """``raw_ledger``: the state store's own tables, read back as an ordinary source."""

    @dg.multi_asset(
        name="ledger",
        specs=[
            dg.AssetSpec(
                key=dg.AssetKey(["raw_ledger", table]),
                deps=[PUSHED],
                description=f"Waybill's own {table.replace('_', ' ')}, as they stood after the push.",
                group_name="ledger",
                owners=["team:data-platform"],
                kinds={"dlt", "duckdb"},
            )
            for table in LEDGER_TABLES
        ],
        required_resource_keys={"platform"},
    )
    def _ledger(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        from ingestion.ledger import CONNECTIONS, project_ledger, schema_of_table
        from state.projections import LEDGER

        platform: Platform = context.resources.platform
        counts = project_ledger(platform.settings, platform.engine)
        for table in LEDGER_TABLES:
            schema = schema_of_table(LEDGER[table]) if table in LEDGER else CONNECTIONS
            yield dg.MaterializeResult(
                asset_key=dg.AssetKey(["raw_ledger", table]),
                metadata={
                    "dagster/row_count": counts.get(table, 0),
                    "dagster/table_name": f"raw_ledger.{table}",
                    "dagster/column_schema": arrow_entry(schema),
                },
            )

    return _ledger
