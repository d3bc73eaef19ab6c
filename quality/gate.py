"""From candidates to verdicts. Fails closed: what was not checked is not released.

Belongs here: reading a batch, running the suite on it and recording what comes of it. Not here: rules (``rulebook``),
measures (``frame_measures.sql``), how the state is read (``state_view``), how answers become decisions (``judge``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine

from core.connections import Connection
from core.flows import INVOICE, Flow
from core.settings import Settings
from core.warehouse import open_warehouse
from quality import frame as frames
from quality import rules
from quality.context import GateContext
from quality.data_docs import write_page
from quality.facts import charge_keys, facts
from quality.inputs import BatchInputs
from quality.intake import IDENTITY, conform
from quality.judge import Judge, RuleResult, by_rule
from quality.policy import Policy, load_policy
from quality.rule import Rule
from quality.state_view import read_context
from quality.suites import invoice_candidates as suite
from state import rulesets
from state.decisions import Decision, record
from state.observations import business_now

EMPTY_BATCH = "EMPTY_BATCH"
EMPTY_SUITE = "EMPTY_SUITE"
IDENTITY_MISSING = "IDENTITY_MISSING"


@dataclass(frozen=True)
class GateResult:
    """Outcome of one batch. ``batch_fatal``: why there are no verdicts at all; nothing may go out then.

    ``result`` is Great Expectations' own, for Data Docs. ``inputs``: what the decisions were made on.
    """

    decisions: tuple[Decision, ...]
    rule_results: tuple[RuleResult, ...]
    batch_fatal: str | None
    ruleset_version: str
    policy_version: str
    result: Any = None
    inputs: BatchInputs | None = None

    @property
    def passed(self) -> bool:
        """Every rule was checked on a batch that has rows. Single blocked candidates do not change that."""
        return self.batch_fatal is None and not any(each.error for each in self.rule_results)

    @property
    def released(self) -> int:
        return sum(each.verdict == "released" for each in self.decisions)

    @property
    def blocked_by_code(self) -> dict[str, int]:
        """Blocking code → candidates; a candidate counts under each of its codes."""
        counts: dict[str, int] = defaultdict(int)
        for decision in self.decisions:
            for code in decision.codes:
                counts[code] += 1
        return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def evaluate(
    candidates: pa.Table | Sequence[Mapping[str, Any]],
    context: GateContext,
    policy: Policy,
    run_id: str,
    decided_at: datetime,
    index: Sequence[Rule] | None = None,
    flow: Flow = INVOICE,
) -> GateResult:
    """One decision per candidate. Pure: the same arguments give the same decisions.

    ``decided_at`` is business time, with a zone. Raises nothing for bad candidates: they are blocked.
    """
    index = rules.INDEX[flow.operation] if index is None else index
    version = rules.ruleset_version(policy)
    intake = conform(candidates, flow.operation)
    if fatal := _fatal(intake.table, index):
        return GateResult((), (), fatal, version, policy.policy_version)
    found = facts(intake, context, policy, version)
    frame, answers, result = asked(intake.table, found, policy, index, flow)
    failing, rule_results = by_rule(answers, index)
    approved_by = context.rules.told if context.rules.version == version else None
    judge = Judge(
        policy,
        run_id,
        decided_at,
        version,
        failing,
        rule_results,
        flow.operation,
        context.previous,
        approved_by,
    )
    return GateResult(
        judge.decisions(frame),
        rule_results,
        None,
        version,
        policy.policy_version,
        result,
        BatchInputs(intake.table, found, flow.operation, judge.not_run),
    )


def asked(
    candidates: pa.Table, found: pa.Table, policy: Policy, index: Sequence[Rule], flow: Flow
) -> tuple[pa.Table, list[suite.CheckResult], Any]:
    """The frame of candidates and facts, every check's answer on it, and Great Expectations' own result."""
    frame = frames.build(candidates, found, policy)
    built = suite.build_suite(index, flow.candidates)
    result = suite.run_suite(built, frames.for_suite(frame, suite.columns_read(index)))
    return frame, suite.read_results(result), result


def approved_policy(engine: Engine) -> Policy:
    """The policy, where it and the rules are those in force in this store.

    ConfigurationError before anything is judged where they are not; a store that has no rules takes the release's.
    """
    policy = load_policy()
    rulesets.require(engine, rules.ruleset(policy))
    return policy


def gate(
    settings: Settings,
    engine: Engine,
    connections: Sequence[Connection],
    run_id: str,
    flow: Flow = INVOICE,
) -> GateResult:
    """Judge today's candidates of a flow, record the decisions in the state store, and write Data Docs.

    WaybillError when the candidates cannot be read from the warehouse, or when nobody approved the rules.
    """
    policy = approved_policy(engine)
    with open_warehouse(settings, f"gate of {run_id}") as warehouse:
        among = f"candidates.{flow.candidates}"
        candidates = warehouse.execute(f"SELECT * FROM {among}").to_arrow_table()
        context = read_context(engine, connections, warehouse, among, operation=flow.operation)
    result = evaluate(candidates, context, policy, run_id, business_now(engine), flow=flow)
    record(engine, result.decisions, result.inputs)
    if result.result is not None:
        write_page(settings.data_docs, result.result, run_id, flow.candidates)
    return result


def gate_part(
    settings: Settings,
    engine: Engine,
    connections: Sequence[Connection],
    run_id: str,
    as_of: datetime,
    flow: Flow = INVOICE,
) -> GateResult:
    """The same for the candidates that were built as of this very instant; Data Docs stay those of the last whole batch."""
    policy = approved_policy(engine)
    among = f"(SELECT * FROM candidates.{flow.candidates} WHERE as_of = TIMESTAMPTZ '{as_of.isoformat()}')"
    with open_warehouse(settings, f"gate of {run_id}") as warehouse:
        candidates = warehouse.execute(f"FROM {among}").to_arrow_table()
        written = candidates["lines_json"].to_pylist() if "lines_json" in candidates.column_names else []
        charges = {key for lines in written for key in charge_keys(lines)}
        only = set(candidates["business_id"].to_pylist()), charges
        context = read_context(engine, connections, warehouse, among, only, flow.operation)
    result = evaluate(candidates, context, policy, run_id, business_now(engine), flow=flow)
    record(engine, result.decisions, result.inputs)
    return result


def _fatal(table: pa.Table, index: Sequence[Rule]) -> str | None:
    """Why this batch can have no verdicts."""
    if table.num_rows == 0:
        return EMPTY_BATCH
    if not any(rule.checks for rule in index):
        return EMPTY_SUITE
    if any(table.column(name).null_count for name in IDENTITY):
        return IDENTITY_MISSING
    return None
