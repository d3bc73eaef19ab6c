"""What Dagster loads: this module assembles, nothing else."""

from __future__ import annotations

import dagster as dg

from core.connections import load_connections
from core.settings import Settings, get_settings
from orchestration.backfill import backfill_assets
from orchestration.dbt_assets import dbt_assets
from orchestration.dbt_manifest import load_manifest
from orchestration.freshness import freshness_checks
from orchestration.gate_assets import gate_assets
from orchestration.ingest_assets import fed_kinds, ingest_assets
from orchestration.jobs import backfill_day, schedules
from orchestration.platform import PlatformResource
from orchestration.push_assets import ledger_assets, push_assets
from orchestration.reconcile_assets import reconcile_assets
from orchestration.serving import serving_assets
from orchestration.ticks import tick_check


def build_definitions(settings: Settings) -> dg.Definitions:
    """The definitions of one installation."""
    manifest = load_manifest(settings)
    connections = load_connections(settings.connections_dir)
    freshness = freshness_checks(manifest, fed_kinds(connections))
    return dg.Definitions(
        assets=[
            *ingest_assets(connections),
            dbt_assets(manifest, "before_gate"),
            gate_assets(),
            dbt_assets(manifest, "outbound"),
            push_assets(),
            ledger_assets(),
            reconcile_assets(),
            dbt_assets(manifest, "after_push"),
            serving_assets(manifest),
            backfill_assets(),
        ],
        jobs=[backfill_day()],
        asset_checks=[freshness, tick_check()],
        schedules=schedules(freshness),
        resources={"platform": PlatformResource.of(settings)},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Loaded when Dagster asks, not when the module is imported."""
    return build_definitions(get_settings())
