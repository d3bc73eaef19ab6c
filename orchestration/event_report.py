"""What the worker did, told to the Dagster instance as runless events, so that its UI shows both drivers.

Belongs here: which assets and checks a batch speaks of. Dagster is never a stop on the way: what is told is done already.
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from core.errors import WaybillError
from core.flows import BY_OPERATION, FLOWS, INVOICE, Flow
from orchestration.event_batch import Batch
from orchestration.gate_assets import DECISIONS, check_name, checks_of
from orchestration.push_assets import PUSHED
from quality.gate import EMPTY_BATCH, GateResult
from quality.rules import INDEX

Event = dg.AssetMaterialization | dg.AssetCheckEvaluation
_RULES = frozenset(check_name(flow, rule.code) for flow in FLOWS for rule in INDEX[flow.operation])


class Report:
    """Tells an instance what batches made and checked.

    A rule that passed before and passes again is not told: each event is a transaction of Dagster's, and the next batch
    waits for it.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._passing: set[str] = set()

    def tell(self, batch: Batch) -> None:
        """Tell of one batch."""
        for event in events_of(batch):
            if self._is_news(event):
                self._instance.report_runless_asset_event(event)

    def _is_news(self, event: Event) -> bool:
        if not isinstance(event, dg.AssetCheckEvaluation) or event.check_name not in _RULES:
            return True
        if not event.passed:
            self._passing.discard(event.check_name)
            return True
        is_news = event.check_name not in self._passing
        self._passing.add(event.check_name)
        return is_news


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
    for operation, gate in batch.gates.items():
        yield from _of_gate(gate, BY_OPERATION[operation], tags)
    if batch.push is not None:
        for operation, counts in batch.push.others.items():
            if counts.candidates:
                yield dg.AssetMaterialization(
                    dg.AssetKey(BY_OPERATION[operation].asset),
                    metadata={"posted": counts.posted, "failed": counts.failed, "held": counts.held},
                    tags=tags,
                )
    if batch.push is not None and (batch.push.candidates or batch.caught_up):
        yield dg.AssetMaterialization(
            PUSHED,
            metadata={
                "posted": batch.caught_up or batch.push.posted,
                "already posted": batch.push.already_posted,
                "failed": batch.push.failed,
                "held": batch.push.held,
                "cancelled": batch.push.cancelled,
                "posted late": batch.caught_up,
                "not posted": batch.unposted,
            },
            tags=tags,
        )
        yield _check(PUSHED, "all_released_are_posted", passed=batch.unposted == 0)


def _of_gate(gate: GateResult, flow: Flow, tags: dict[str, str]) -> Iterator[Event]:
    """What was judged, and how each rule went that looked at anything; a batch that could not be judged is a red check."""
    if gate.decisions and flow is INVOICE:
        released = gate.released
        yield dg.AssetMaterialization(
            DECISIONS,
            metadata={"released": released, "blocked": len(gate.decisions) - released},
            tags=tags,
        )
    if gate.batch_fatal == EMPTY_BATCH:
        return
    looked = {check_name(flow, each.code) for each in gate.rule_results if each.evaluated or each.error}
    for each in checks_of(gate, flow):
        assert each.check_name is not None
        if each.check_name not in _RULES or each.check_name in looked:
            yield dg.AssetCheckEvaluation(
                asset_key=DECISIONS, check_name=each.check_name, passed=each.passed, severity=each.severity,
                metadata=each.metadata,
            )  # fmt: skip


def _check(key: dg.AssetKey, name: str, *, passed: bool) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(asset_key=key, check_name=name, passed=passed, metadata={})
