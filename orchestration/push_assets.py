"""The push of what was released, and the ledger's way back into the warehouse."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb

from core.errors import WaybillError
from core.flows import FLOWS, INVOICE
from core.warehouse import open_warehouse
from orchestration.column_metadata import arrow_entry
from orchestration.platform import Platform

if TYPE_CHECKING:
    from activation.result import PushResult

log = logging.getLogger("waybill.push")

PUSHED = dg.AssetKey(INVOICE.asset)
"""Of the invoices. Each flow has an asset of its own; what follows the push follows this one."""
_RELEASED = "outbound"
_ALL_POSTED = "all_released_are_posted"
_TOLD = ("candidates", "posted", "already posted", "failed", "held", "blocked at recheck", "cancelled")
"""What of its counts an asset tells."""
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


def outbound_rows(platform: Platform, schema: str = _RELEASED) -> list[dict[str, Any]]:
    """The rows of every flow's outbound model, decimals and instants as Python's own; WaybillError before the first run."""
    rows: list[dict[str, Any]] = []
    with open_warehouse(platform.settings, "push") as warehouse:
        try:
            for flow in FLOWS:
                rows += (
                    warehouse.execute(f"SELECT * FROM {schema}.{flow.outbound}").to_arrow_table().to_pylist()
                )
        except duckdb.CatalogException as error:
            raise WaybillError("Nothing was released yet.", remedy="Run `waybill run` first.") from error
    return rows


def push_assets() -> dg.AssetsDefinition:
    """The ERP's documents as assets, one a flow: what was posted, found posted before, or failed."""

    @dg.multi_asset(
        name="push",
        specs=[
            dg.AssetSpec(
                key=dg.AssetKey(flow.asset),
                deps=[dg.AssetKey(["outbound", flow.outbound])],
                description=f"{flow.noun.capitalize()}s in the ERP: posted once, read back, acknowledged.",
                group_name="outbound",
                owners=["team:finance-systems"],
                kinds={"http"},
            )
            for flow in FLOWS
        ],
        check_specs=[
            dg.AssetCheckSpec(
                _ALL_POSTED,
                asset=dg.AssetKey(flow.asset),
                description=f"No released {flow.noun} failed, is held or is waiting, but those that two people cancelled.",
            )
            for flow in FLOWS
        ],
        required_resource_keys={"platform"},
    )
    def _push(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        from orchestration.payload_metadata import payload_entries

        platform: Platform = context.resources.platform
        result = push_released(platform)
        for flow in FLOWS:
            counts, money = result.of(flow.operation), {}
            if flow is INVOICE:
                amounts = {code: str(amount) for code, amount in result.amount_by_currency.items()}
                money = {"amounts": dg.MetadataValue.json(amounts)}
            yield dg.MaterializeResult(
                asset_key=dg.AssetKey(flow.asset),
                metadata={
                    **payload_entries(platform.settings, flow),
                    "dagster/row_count": counts.posted,
                    **{name: getattr(counts, name.replace(" ", "_")) for name in _TOLD},
                    **money,
                },
            )
            yield dg.AssetCheckResult(
                asset_key=dg.AssetKey(flow.asset),
                check_name=_ALL_POSTED,
                passed=counts.unposted == 0,
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
    for operation, counts in {INVOICE.operation: result, **result.others}.items():
        log.info(
            "push of %ss: %d posted, %d already posted, %d failed",
            operation,
            counts.posted,
            counts.already_posted,
            counts.failed,
        )
    return result


def ledger_assets() -> dg.AssetsDefinition:
    """``raw_ledger``: the state store's own tables, read back as an ordinary source."""

    @dg.multi_asset(
        name="ledger",
        specs=[
            dg.AssetSpec(
                key=dg.AssetKey(["raw_ledger", table]),
                deps=[dg.AssetKey(flow.asset) for flow in FLOWS],
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
