"""One batch of the event path: what partners have sent becomes rows, candidates, verdicts and posted documents.

    inbox ─► rows ─► dlt ─► models that the loads touch ─► gate ─► push

Belongs here: the order of the steps, the same functions as in a scheduled run, and what a batch gave. Messages are settled
once their rows are built on. A batch that dies leaves open messages, or loads that nobody has judged; the next one goes on
from there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from core.flows import FLOWS
from core.ids import new_id
from core.warehouse import open_warehouse
from ingestion.events import taking_up
from ingestion.events.giving_up import breaks_a_model, waited_in_vain
from ingestion.events.rests import Rests
from ingestion.events.run import TakenIn, forget, settle, take_back, take_in
from ingestion.events.taking_up import TakenUp, take_up
from ingestion.events.understanding import Understood, understand
from ingestion.ledger import project_decisions
from ingestion.run import Counts
from orchestration.dbt_runner import NodeResult
from orchestration.event_builds import OUTBOUND, Built, EventProject
from orchestration.event_sifting import Guilty
from orchestration.event_warehouse import KeptWarehouse
from orchestration.ingest_assets import KIND_ORDER
from orchestration.platform import Platform
from orchestration.push_assets import outbound_rows, push_rows
from quality.gate import EMPTY_BATCH, GateResult, approved_policy, gate_part
from state import inbox, ledger, outbox
from state.decisions import EVENTS
from state.engine import reading

if TYPE_CHECKING:
    from activation.result import PushResult

LEAST, MOST = 500, 5_000
"""Messages of one partner in one batch: the fewer when few wait, for the first of them to be done soon; the more when many
do, because most of what a batch takes it takes whatever its size."""
_OF_WHAT_WAITS = 4
"""One in so many of what waits is a batch, between those bounds."""
log = logging.getLogger("waybill.worker")


@dataclass
class Batch:
    """What one batch did. ``as_of``: the instant of its candidates, None where none were judged; ``gates`` by the operation of the
    flow; ``seconds`` by step; ``settled`` messages; ``postponed`` ones, with what each waits for.

    ``caught_up``: invoices posted that an earlier push had left; ``unposted``: released ones that are not posted after it.
    """

    run_id: str
    settled: int = 0
    postponed: dict[str, str] = field(default_factory=dict)
    counts: list[Counts] = field(default_factory=list)
    models: list[NodeResult] = field(default_factory=list)
    as_of: datetime | None = None
    gates: dict[str, GateResult] = field(default_factory=dict)
    push: PushResult | None = None
    caught_up: int = 0
    unposted: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step."""
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 3)


def run_batch(
    platform: Platform, project: EventProject, rests: Rests, kept: KeptWarehouse, *, is_first: bool
) -> Batch:
    """Everything that waits, so many messages of each partner at most. The first batch of a worker also builds what an
    earlier worker loaded and did not build. ``rests``: what could not be had lately. ``kept`` may be open afterwards.

    WaybillError when a step failed; what was loaded before it is built by the next first batch. ConfigurationError before any
    message is taken up where nobody approved the rules: what waits is judged once they are.
    """
    approved_policy(platform.engine)
    batch = Batch(new_id(EVENTS))
    # Before the warehouse is held: a partner's system may be asked for a document, and others must not wait for its answer.
    with batch.step("read"):
        understood = _understood(platform, batch, rests)
    if not is_first and not understood:
        return batch
    # Held open for the whole batch: dlt, dbt and the gate each open the file for themselves, which is free while it is.
    with kept.batch(batch.run_id):
        with batch.step("load"):
            taken, taken_up = _take_in(platform, batch, understood, is_first=is_first)
        loaded = {each.source for each in batch.counts if each.loaded}
        if not is_first and not project.concerns(loaded):
            _settle(platform, batch, taken, taken_up)
            return batch
        with batch.step("build"):
            built = _built(platform, project, None if is_first else loaded, taken, taken_up)
        batch.models = built.models
        _take_back(platform, batch, taken, taken_up, built.guilty)
        _settle(platform, batch, taken, taken_up)
        with batch.step("gate"):
            rows = _judged(platform, batch, built.as_of)
    with batch.step("push"):
        _push(platform, batch, rows)
    project.is_done()
    return batch


def judge_again(platform: Platform, as_of: datetime) -> Batch:
    """Judge and push the candidates of an earlier batch once more, which nobody has built since: a batch of no messages."""
    batch = Batch(new_id(EVENTS))
    with open_warehouse(platform.settings, batch.run_id), batch.step("gate"):
        rows = _judged(platform, batch, as_of)
    with batch.step("push"):
        _push(platform, batch, rows)
    return batch


def push_due(platform: Platform) -> Batch:
    """Push what an earlier push left, and nothing else: a batch of no messages."""
    batch = Batch(new_id(EVENTS))
    with reading(platform.engine) as db:
        before, _ = ledger.newest(db)
    with batch.step("push"):
        _push(platform, batch, [])
    with reading(platform.engine) as db:
        batch.caught_up = ledger.count_since(db, before, "acked")
    return batch


def _push(platform: Platform, batch: Batch, rows: list[dict[str, object]]) -> None:
    batch.push = push_rows(platform, rows, patience_s=0.0)
    batch.unposted = sum(outbox.unposted(platform.engine, each.connection) for each in platform.destinations)


def _understood(platform: Platform, batch: Batch, rests: Rests) -> list[Understood]:
    """What each partner's open messages say, where anything can be done about it now."""
    by_name = {each.connection: each for each in platform.connections if each.lifecycle != "retired"}
    waiting = inbox.waiting(platform.engine)
    found: list[Understood] = []
    for partner in waiting.keys() & by_name.keys():
        most = min(MOST, max(LEAST, waiting[partner] // _OF_WHAT_WAITS))
        understood = understand(platform.settings, platform.engine, by_name[partner], most, rests)
        batch.postponed |= understood.postponed
        if understood.is_something:
            found.append(understood)
    return found


def _take_in(
    platform: Platform, batch: Batch, understood: list[Understood], *, is_first: bool
) -> tuple[list[TakenIn], TakenUp]:
    """Load what was sent, parents first, and what had waited for it. In the first batch of a worker whatever waits: the worker
    before may have died in between."""
    settings, engine = platform.settings, platform.engine
    taken = [take_in(settings, engine, each, batch.run_id) for each in sorted(understood, key=_parents_first)]
    batch.counts = [counts for each in taken for counts in each.counts]
    brought = {(each.source.removeprefix("raw_"), each.resource) for each in batch.counts if each.rows_in}
    taken_up = TakenUp()
    if is_first or brought:
        taken_up = take_up(
            settings, engine, platform.connections, batch.run_id, None if is_first else brought
        )
        batch.counts += taken_up.counts
    return taken, taken_up


def _parents_first(understood: Understood) -> tuple[int, str]:
    return KIND_ORDER.index(understood.connection.kind), understood.connection.connection


def _built(
    platform: Platform,
    project: EventProject,
    datasets: set[str] | None,
    taken: list[TakenIn],
    taken_up: TakenUp,
) -> Built:
    try:
        return project.build(
            datasets, [*(message for each in taken for message in each.loaded), *taken_up.loaded]
        )
    except Exception:
        for each in taken:
            if not each.has_news:
                forget(platform.engine, each)  # tried again and again, they would count each time
        if not any(each.loaded for each in taken_up.counts):
            taking_up.forget(platform.engine, taken_up)
        raise


def _take_back(
    platform: Platform, batch: Batch, taken: list[TakenIn], taken_up: TakenUp, guilty: list[Guilty]
) -> None:
    """Give up what a model cannot be built with."""
    settings, engine, by_name = platform.settings, platform.engine, {one.suspect.name: one for one in guilty}
    for each in taken:
        own = [one for one in each.loaded if one.name in by_name]
        if own:
            refused = [(one, breaks_a_model(one.message, by_name[one.name].why)) for one in own]
            gone = [row for one in own for row in by_name[one.name].gone]
            take_back(settings, engine, batch.run_id, each, refused, gone)
    waited = [one for one in taken_up.loaded if one.name in by_name]
    if waited:
        in_vain = [(one, waited_in_vain(one.name, by_name[one.name].why)) for one in waited]
        gone = [row for one in waited for row in by_name[one.name].gone]
        taking_up.take_back(settings, engine, batch.run_id, taken_up, in_vain, gone)


def _settle(platform: Platform, batch: Batch, taken: list[TakenIn], taken_up: TakenUp) -> None:
    batch.settled = sum(settle(platform.engine, batch.run_id, each) for each in taken)
    taking_up.settle(platform.engine, taken_up)


def _judged(platform: Platform, batch: Batch, as_of: datetime) -> list[dict[str, object]]:
    """Judge what was touched; the rows to push, which are none where nothing touched can be billed."""
    judged: set[str] = set()
    batch.as_of = as_of
    for flow in FLOWS:
        gate = gate_part(platform.settings, platform.engine, platform.connections, batch.run_id, as_of, flow)
        batch.gates[flow.operation] = gate
        judged |= {each.business_id for each in gate.decisions}
        if not gate.decisions and gate.batch_fatal != EMPTY_BATCH:
            log.error("%s: nothing was judged of %s: %s", batch.run_id, flow.operation, gate.batch_fatal)
    if not judged:
        return []
    project_decisions(platform.settings, platform.engine, judged)
    return outbound_rows(platform, OUTBOUND)
