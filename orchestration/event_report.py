"""What the worker did, told to the Dagster instance as runless events, so that its UI shows both drivers.

Belongs here: which assets and checks a batch speaks of. Dagster is never a stop on the way: what is told is done already.
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from core.errors import WaybillError
from orchestration.event_batch import Batch
from orchestration.gate_assets import DECISIONS
from orchestration.push_assets import PUSHED

Event = dg.AssetMaterialization | dg.AssetCheckEvaluation


def report(instance: dg.DagsterInstance, batch: Batch) -> None:
    """Tell what a batch made and checked."""
    for event in events_of(batch):
        instance.report_runless_asset_event(event)


def report_failure(instance: dg.DagsterInstance, error: Exception) -> None:
    """Tell what ended a batch: its check is red until a batch is judged again."""
    why = str(error) if isinstance(error, WaybillError) else f"{type(error).__name__}, unforeseen"
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=DECISIONS, check_name="batch", passed=False,
            metadata={"worker": why, "look": "the worker's log has the rest"},
        )
    )  # fmt: skip


def events_of(batch: Batch) -> Iterator[Event]:
    """The events of one batch, in the order of its steps."""
    tags = {"waybill/batch": batch.run_id}
    for each in batch.counts:
        yield dg.AssetMaterialization(
            dg.AssetKey([each.source, each.resource]),
            metadata={
                "connection": each.connection,
                "rows in": each.rows_in,
                "loaded": each.loaded,
                "dead-lettered": each.dead_lettered,
                "duplicate": each.duplicate,
                "parked": each.parked,
            },
            tags=tags,
        )
        yield _check(dg.AssetKey([each.source, each.resource]), "rows_add_up", passed=each.adds_up)
    for model in batch.models:
        # Not the steps between them: each event is a transaction of Dagster's, and the next batch waits for it.
        if model.schema in {"canonical", "candidates"} and not model.name.startswith("int_"):
            yield dg.AssetMaterialization(
                dg.AssetKey([model.schema, model.name]), metadata={"seconds": model.seconds}, tags=tags
            )
    if batch.gate is not None and batch.gate.decisions:
        released = batch.gate.released
        yield dg.AssetMaterialization(
            DECISIONS,
            metadata={"released": released, "blocked": len(batch.gate.decisions) - released},
            tags=tags,
        )
        yield _check(DECISIONS, "batch", passed=batch.gate.batch_fatal is None)
    if batch.push is not None and batch.push.candidates:
        yield dg.AssetMaterialization(
            PUSHED,
            metadata={
                "posted": batch.push.posted,
                "already posted": batch.push.already_posted,
                "failed": batch.push.failed,
                "held": batch.push.held,
                "cancelled": batch.push.cancelled,
            },
            tags=tags,
        )
        yield _check(
            PUSHED, "all_released_are_posted", passed=batch.push.failed == 0 and batch.push.held == 0
        )


def _check(key: dg.AssetKey, name: str, *, passed: bool) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(asset_key=key, check_name=name, passed=passed, metadata={})
