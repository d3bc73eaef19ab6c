"""The daily reconciliation as an asset: what the ERP holds against what was acknowledged."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from orchestration.platform import Platform
from orchestration.push_assets import PUSHED

if TYPE_CHECKING:
    from activation.reconcile import Reconciliation

RECONCILED = dg.AssetKey(["erp", "reconciliation"])
_CHECK = "erp_holds_what_was_acknowledged"
_MOST_TOLD = 50


def reconcile_assets() -> dg.AssetsDefinition:
    """One asset with one check; a job of its own runs it every day."""

    @dg.multi_asset(
        name="reconcile",
        specs=[
            dg.AssetSpec(
                key=RECONCILED,
                deps=[PUSHED],
                description="Released, acknowledged and posted invoices by day, company and currency.",
                group_name="outbound",
                owners=["team:finance-control"],
                kinds={"http"},
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(
                _CHECK,
                asset=RECONCILED,
                description="No difference is open. While one is, nothing is sent to its destination.",
            )
        ],
        required_resource_keys={"platform"},
    )
    def _reconcile(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        from activation.reconcile import reconcile
        from state.heads import signed_after

        platform: Platform = context.resources.platform
        with signed_after(platform.settings, platform.engine):
            done = reconcile(platform.engine, platform.connections)
        still_open = [difference for each in done for difference in each.open]
        yield dg.MaterializeResult(
            asset_key=RECONCILED,
            metadata={
                "reconciled": sum(each.reconciled for each in done),
                "differences": sum(len(each.differences) for each in done),
                "open": len(still_open),
                "lines": dg.MetadataValue.json([line for each in done for line in _lines(each)]),
            },
        )
        yield dg.AssetCheckResult(
            asset_key=RECONCILED,
            check_name=_CHECK,
            passed=not still_open,
            metadata={"open": dg.MetadataValue.json([str(each) for each in still_open[:_MOST_TOLD]])},
        )

    return _reconcile


def _lines(done: "Reconciliation") -> list[dict[str, str]]:
    """Counts and amounts of one destination, a line per day, company and currency."""
    return [
        {"destination": done.destination, "day": day, "company": company, "currency": currency}
        | {name: str(value) for name, value in vars(line).items()}
        for (day, company, currency), line in sorted(done.lines.items())
    ]
