"""Reads the gate's context: state store, connections and, for who supplied what, the warehouse.

Belongs here: queries. What a finding means is a rule's word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

import duckdb
from sqlalchemy import Engine

from core.clock import utc_now
from core.connections import Connection
from core.flows import INVOICE
from quality.context import BatchSize, GateContext, Posted
from quality.intake import OWN
from state import approvals, billed, dead_letters, decisions, observations, rulesets
from state.decisions import Decision
from state.engine import reading
from state.observations import Observation

JUDGED_KINDS = frozenset({"dispatch", "pod"})
"""Kinds, besides the ERP, on whose answers an invoice rests."""
HISTORY_RUNS = 50
CANDIDATES = f"candidates.{INVOICE.candidates}"
"""Every candidate for an invoice as the last build left it."""

_SOURCES = """
    SELECT candidate.business_id, shipment.source_system AS dispatch, pod.source_system AS pod
    FROM {among} AS candidate
    LEFT JOIN canonical.canonical_shipments AS shipment ON shipment.source_id = candidate.shipment_no
    LEFT JOIN canonical.canonical_proofs_of_delivery AS pod ON pod.source_id = candidate.pod_id
"""


def read_context(
    engine: Engine,
    connections: Sequence[Connection],
    warehouse: duckdb.DuckDBPyConnection,
    among: str = CANDIDATES,
    only: tuple[Collection[str], Collection[str]] | None = None,
    operation: str = INVOICE.operation,
) -> GateContext:
    """The state at this moment, of all candidates or, by business ids and charge keys, of those that ``among`` holds.

    Of a part of the candidates no history is read: how large a batch usually is says nothing about it.
    """
    live = [each for each in connections if each.lifecycle != "retired"]
    seen = {each.connection: each for each in observations.latest(engine)}
    order_letters, shipment_letters = dead_letters.open_reasons(engine)
    # What tells of no proof rests on the ERP's word alone: who hears of trouble is not to wait for those who are in it.
    rests_on_proof = "pod_id" in OWN[operation].names
    with reading(engine) as db:
        approved = rulesets.in_force(db, "flows")
    previous = decisions.latest(engine, None if only is None else only[0], operation)
    return GateContext(
        outbox={
            key: Posted(state, content_hash, frozenset(charges))
            for key, (state, content_hash, charges) in billed.content_by_business(
                engine, only, operation
            ).items()
        },
        order_letters={ref: frozenset(reasons) for ref, reasons in order_letters.items()},
        shipment_letters={ref: frozenset(reasons) for ref, reasons in shipment_letters.items()},
        stale=stale(live, seen),
        destinations={
            each.connection: each.connection in seen and seen[each.connection].ok
            for each in live
            if each.destination is not None
        },
        sources=sources(warehouse, live, among) if rests_on_proof else {},
        default_sources=frozenset(
            each.connection for each in live if rests_on_proof and each.kind in JUDGED_KINDS
        ),
        previous=previous,
        history=history(previous.values()) if only is None else (),
        # A person is asked about invoices alone.
        approvals=approvals.granted(engine) if operation == INVOICE.operation else {},
        rules=approved.approved if approved else rulesets.NOBODY,
    )


def stale(connections: Iterable[Connection], seen: Mapping[str, Observation]) -> dict[str, str]:
    """Connection → why its answer cannot be relied on: none, a failure, or older than its SLA."""
    found: dict[str, str] = {}
    for connection in connections:
        last = seen.get(connection.connection)
        if last is None or last.last_ok_at is None:
            found[connection.connection] = "never answered"
        elif not last.ok:
            found[connection.connection] = f"failed: {last.error or 'no reason given'}"
        elif utc_now() - last.last_ok_at > timedelta(seconds=connection.sla.freshness_s):
            found[connection.connection] = f"last answer {last.last_ok_at:%Y-%m-%d %H:%M} UTC"
    return found


def sources(
    warehouse: duckdb.DuckDBPyConnection, connections: Iterable[Connection], among: str
) -> dict[str, frozenset[str]]:
    """Business id → the dispatch and POD connections it came from; all of a kind where that is not known."""
    of_kind: dict[str, set[str]] = defaultdict(set)
    for connection in connections:
        of_kind[connection.kind].add(connection.connection)
    found: dict[str, frozenset[str]] = {}
    for business_id, dispatch, pod in warehouse.execute(_SOURCES.format(among=among)).fetchall():
        dispatches = {dispatch} if dispatch else of_kind["dispatch"]
        pods = {pod} if pod else of_kind["pod"]
        found[str(business_id)] = found.get(str(business_id), frozenset()) | dispatches | pods
    return found


def history(standing: Iterable[Decision]) -> tuple[BatchSize, ...]:
    """Count and amount of the candidates first judged in each earlier run, newest runs last."""
    runs: dict[str, list[Decision]] = defaultdict(list)
    for decision in sorted(standing, key=lambda each: each.decided_at):
        is_batch = not decision.run_id.startswith(decisions.EVENTS)
        if is_batch and decision.is_first_evaluation and "BATCH_OUTLIER" not in decision.codes:
            runs[decision.run_id].append(decision)
    sizes = []
    for batch in list(runs.values())[-HISTORY_RUNS:]:
        amounts: dict[str, Decimal] = defaultdict(Decimal)
        for decision in batch:
            if decision.currency and decision.amount is not None:
                amounts[decision.currency] += decision.amount
        sizes.append(BatchSize(len(batch), dict(amounts)))
    return tuple(sizes)
