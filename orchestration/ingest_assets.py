"""Sources: one multi-asset per kind, one asset per raw table, whatever connections feed it.

A connection that fails is recorded and reported by a failed check; the others go on, and the gate sees
the stale source.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from contracts.base import Envelope
from contracts.resources import RESOURCES, Resource
from core.connections import Connection
from core.errors import WaybillError
from orchestration import unagreed, volume
from orchestration.column_metadata import arrow_entry
from orchestration.platform import Platform

if TYPE_CHECKING:
    from ingestion.run import Counts

log = logging.getLogger("waybill.ingestion")

KIND_ORDER = ("erp", "dispatch", "telematics", "pod", "wms", "tms", "crm", "carrier", "maintenance")
"""Parents first: a position needs its vehicle, a proof of delivery its consignment."""


def ingest_assets(connections: Sequence[Connection]) -> list[dg.AssetsDefinition]:
    """One multi-asset for every kind that has a live connection."""
    fed = fed_kinds(connections)
    return [
        _kind_assets(kind, [each for each in connections if each.kind == kind])
        for kind in KIND_ORDER
        if kind in fed
    ]


def fed_kinds(connections: Sequence[Connection]) -> set[str]:
    """The kinds of systems that have a live connection."""
    return {each.kind for each in connections if each.lifecycle != "retired"}


def resources_of(kind: str) -> list[Resource]:
    """The resources of a kind in loading order."""
    return [each for each in RESOURCES if each.kind == kind]


def _kind_assets(kind: str, connections: Sequence[Connection]) -> dg.AssetsDefinition:
    resources = resources_of(kind)
    keys = [dg.AssetKey([each.dataset, each.name]) for each in resources]

    @dg.multi_asset(
        name=f"ingest_{kind}",
        specs=[_spec(each, connections) for each in resources],
        check_specs=_check_specs(keys[0]),
        required_resource_keys={"platform"},
    )
    def _ingest(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        platform: Platform = context.resources.platform
        counts, failures = ingest_kind(platform, kind, context.run_id)
        yield from _results(kind, counts, unagreed.rows_of(platform.engine, kind))
        yield dg.AssetCheckResult(
            asset_key=keys[0], check_name="rows_add_up", passed=all(each.adds_up for each in counts)
        )
        yield dg.AssetCheckResult(
            asset_key=keys[0], check_name="sources_answered", passed=not failures, metadata=dict(failures)
        )
        yield unagreed.result(keys[0], platform.engine, kind, context.run_id)
        yield volume.result(keys[0], platform.engine, kind, context.run_id, failures)

    return _ingest


def _check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            "rows_add_up",
            asset=key,
            blocking=True,
            description="rows in = loaded + dead-lettered + duplicate + parked",
        ),
        dg.AssetCheckSpec(
            "sources_answered", asset=key, description="every connection of this kind answered"
        ),
        unagreed.spec(key),
        volume.spec(key),
    ]


def ingest_kind(
    platform: Platform, kind: str, run_id: str, window: tuple[datetime, datetime] | None = None
) -> tuple["list[Counts]", dict[str, str]]:
    """Read every live connection of a kind, or a window of it again; what was counted, and the message of each
    that failed."""
    from ingestion.run import ensure_warehouse, ingest

    ensure_warehouse(platform.settings, platform.engine)
    counts: list[Counts] = []
    failures: dict[str, str] = {}
    for connection in platform.of_kind(kind):
        log.info("reading %s (%s)", connection.connection, connection.adapter)
        try:
            counts.extend(ingest(platform.settings, platform.engine, connection, run_id, window))
        except WaybillError as error:
            log.error("%s failed: %s", connection.connection, error)
            failures[connection.connection] = str(error)
    return counts, failures


def _results(
    kind: str, counts: "Sequence[Counts]", unknown_fields: Mapping[str, int]
) -> Iterator[dg.MaterializeResult[None]]:
    from contracts.arrow import schema_of

    by_resource: defaultdict[str, list[Counts]] = defaultdict(list)
    for each in counts:
        by_resource[each.resource].append(each)
    for resource in resources_of(kind):
        found = by_resource[resource.name]
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey([resource.dataset, resource.name]),
            metadata={
                "dagster/row_count": sum(each.loaded for each in found),
                "dagster/table_name": f"{resource.dataset}.{resource.name}",
                "dagster/column_schema": arrow_entry(
                    schema_of(Envelope, resource.contract), resource.contract.__name__
                ),
                "rows in": sum(each.rows_in for each in found),
                "dead-lettered": sum(each.dead_lettered for each in found),
                "duplicate": sum(each.duplicate for each in found),
                "parked": sum(each.parked for each in found),
                "unknown fields": unknown_fields.get(resource.name, 0),
            },
        )


def _spec(resource: Resource, connections: Sequence[Connection]) -> dg.AssetSpec:
    own_parent = resource.parent and resource.parent.kind == resource.kind
    parent = None if own_parent else resource.parent
    strictest = min(each.sla.freshness_s for each in connections)
    described = (resource.contract.__doc__ or resource.name).strip().splitlines()[0]
    return dg.AssetSpec(
        key=dg.AssetKey([resource.dataset, resource.name]),
        deps=[dg.AssetKey([f"raw_{parent.kind}", parent.resource])] if parent else [],
        description=f"{described} Contract {resource.contract.__name__} {resource.contract.version}.",
        group_name=resource.kind,
        owners=sorted({f"team:{each.owner}" for each in connections}),
        kinds={"dlt", "duckdb"},
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(seconds=strictest)),
        metadata={
            "connections": ", ".join(each.connection for each in connections),
            "contract": f"contracts/{resource.kind}.py",
        },
    )
