"""dbt's source freshness as asset checks of the raw tables.

Belongs here: asking dbt how old each source is, and saying so. How old it may be stands in the sources' YAML.
"""

from collections.abc import Collection, Iterator
from typing import Any

import dagster as dg

from orchestration.dbt_manifest import asset_key
from orchestration.platform import Platform

CHECK = "fresh"


def watched_sources(manifest: dict[str, Any], kinds: Collection[str]) -> dict[str, dg.AssetKey]:
    """dbt's id → asset key of every source table that some connection feeds and that may not grow old."""
    return {
        unique_id: asset_key(source)
        for unique_id, source in sorted(manifest["sources"].items())
        if source["freshness"] and source["source_name"].removeprefix("raw_") in kinds
    }


def freshness_checks(manifest: dict[str, Any], kinds: Collection[str]) -> dg.AssetChecksDefinition:
    """One check per watched table: a warning after ``warn_after``, an error after ``error_after``."""
    watched = watched_sources(manifest, kinds)

    @dg.multi_asset_check(
        name="age_of_sources",
        specs=[
            dg.AssetCheckSpec(CHECK, asset=key, description=_limits(manifest["sources"][unique_id]))
            for unique_id, key in watched.items()
        ],
        required_resource_keys={"platform"},
    )
    def _age_of_sources(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        from orchestration.dbt_runner import freshness

        platform: Platform = context.resources.platform
        found = {each.unique_id: each for each in freshness(platform.settings)}
        for unique_id, key in watched.items():
            age = found[unique_id]
            yield dg.AssetCheckResult(
                asset_key=key,
                check_name=CHECK,
                passed=age.status == "pass",
                severity=dg.AssetCheckSeverity.WARN if age.status == "warn" else dg.AssetCheckSeverity.ERROR,
                metadata={"status": age.status, "newest row": age.newest, "hours old": age.hours},
            )

    return _age_of_sources


def _limits(source: dict[str, Any]) -> str:
    told = [
        f"{word} after {limit['count']} {limit['period']}{'s' if limit['count'] != 1 else ''}"
        for word, limit in (
            ("a warning", source["freshness"]["warn_after"]),
            ("an error", source["freshness"]["error_after"]),
        )
        if limit and limit["count"]
    ]
    return f"Newest {source['loaded_at_field']}: {', '.join(told)} without a new row."
