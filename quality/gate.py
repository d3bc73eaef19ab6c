"""From candidates to verdicts. Fails closed: what was not checked is not released.

Belongs here: running the suite and turning its answers into one decision per candidate with all its reasons.
Not here: rules (``rulebook``), measures (``frame_measures.sql``), how the state is read (``state_view``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa
from sqlalchemy import Engine

from core.connections import Connection
from core.flows import INVOICE, Flow
from core.ids import canonical_json, sha256_hex
from core.settings import Settings
from core.warehouse import open_warehouse
from quality import frame as frames
from quality import rules
from quality.context import GateContext, Key
from quality.data_docs import write_page
from quality.facts import POSTED, charge_keys, facts
from quality.intake import IDENTITY, conform
from quality.policy import Policy, load_policy
from quality.rule import Rule
from quality.state_view import read_context
from quality.suites import invoice_candidates as suite
from quality.wording import told
from state.decisions import PASSING, Decision, record
from state.observations import business_now

NOT_RUN = "CHECK_NOT_RUN"
EMPTY_BATCH = "EMPTY_BATCH"
EMPTY_SUITE = "EMPTY_SUITE"
IDENTITY_MISSING = "IDENTITY_MISSING"
_ROWS_AT_ONCE = 2_000
"""A row of the frame in Python takes ten times what it takes in the frame."""
_DECIDED_OF = [
    "business_id", "revision", "company_id", "order_no", "shipment_no", "customer_id", "input_hash", "content_hash",
    "as_of", "grand_total_amount", "currency",
]  # fmt: skip
"""Columns that every decision holds."""
AFTER_POSTING = frozenset({"ORDER_CANCELLED"})
"""What a person has to decide on though the invoice is in the ERP already, unchanged."""


@dataclass(frozen=True)
class RuleResult:
    """How one rule went: rows in its scope, rows that failed, and why it could not be checked, if so."""

    code: str
    evaluated: int
    failed: int
    error: str | None = None


@dataclass(frozen=True)
class GateResult:
    """Outcome of one batch. ``batch_fatal``: why there are no verdicts at all; nothing may go out then.

    ``result`` is Great Expectations' own, for Data Docs.
    """

    decisions: tuple[Decision, ...]
    rule_results: tuple[RuleResult, ...]
    batch_fatal: str | None
    ruleset_version: str
    policy_version: str
    result: Any = None

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
    frame = frames.build(intake.table, facts(intake, context, policy, version), policy)
    built = suite.build_suite(index, flow.candidates)
    result = suite.run_suite(built, frames.for_suite(frame, suite.columns_read(index)))
    failing, rule_results = _by_rule(suite.read_results(result), index)
    judge = _Judge(context, policy, run_id, decided_at, version, failing, rule_results, flow.operation)
    decisions: dict[Key, Decision] = {}
    for part in frame.to_batches(max_chunksize=_ROWS_AT_ONCE):
        for row in judge.rows(part):
            decisions.setdefault((row["business_id"], row["revision"]), judge.decide(row))
    return GateResult(tuple(decisions.values()), rule_results, None, version, policy.policy_version, result)


def gate(
    settings: Settings,
    engine: Engine,
    connections: Sequence[Connection],
    run_id: str,
    flow: Flow = INVOICE,
) -> GateResult:
    """Judge today's candidates of a flow, record the decisions in the state store, and write Data Docs.

    WaybillError when the candidates cannot be read from the warehouse.
    """
    with open_warehouse(settings, f"gate of {run_id}") as warehouse:
        among = f"candidates.{flow.candidates}"
        candidates = warehouse.execute(f"SELECT * FROM {among}").to_arrow_table()
        context = read_context(engine, connections, warehouse, among, operation=flow.operation)
    result = evaluate(candidates, context, load_policy(), run_id, business_now(engine), flow=flow)
    record(engine, result.decisions)
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
    among = f"(SELECT * FROM candidates.{flow.candidates} WHERE as_of = TIMESTAMPTZ '{as_of.isoformat()}')"
    with open_warehouse(settings, f"gate of {run_id}") as warehouse:
        candidates = warehouse.execute(f"FROM {among}").to_arrow_table()
        charges = {key for lines in candidates["lines_json"].to_pylist() for key in charge_keys(lines)}
        only = set(candidates["business_id"].to_pylist()), charges
        context = read_context(engine, connections, warehouse, among, only, flow.operation)
    result = evaluate(candidates, context, load_policy(), run_id, business_now(engine), flow=flow)
    record(engine, result.decisions)
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


def _by_rule(
    answers: Sequence[suite.CheckResult], index: Sequence[Rule]
) -> tuple[dict[str, frozenset[Key]], tuple[RuleResult, ...]]:
    """Failing keys per code, and one result per rule; a rule with a check unanswered carries an error."""
    given: dict[str, list[suite.CheckResult]] = defaultdict(list)
    for answer in answers:
        given[answer.code].append(answer)
    failing: dict[str, frozenset[Key]] = {}
    results = []
    for rule in index:
        own = given.pop(rule.code, [])
        errors = [each.error for each in own if each.error]
        if sorted(each.number for each in own) != list(range(len(rule.checks))) or not rule.checks:
            errors.append(f"{len(own)} of {len(rule.checks)} checks answered")
        failing[rule.code] = frozenset[Key]().union(*(each.failing for each in own))
        evaluated = max((each.evaluated for each in own), default=0)
        results.append(RuleResult(rule.code, evaluated, len(failing[rule.code]), "; ".join(errors) or None))
    results.extend(RuleResult(code, 0, 0, "no rule of the index") for code in given)
    return failing, tuple(results)


class _Judge:
    """Turns the failing rules of one row into its decision."""

    def __init__(
        self,
        context: GateContext,
        policy: Policy,
        run_id: str,
        decided_at: datetime,
        ruleset_version: str,
        failing: Mapping[str, frozenset[Key]],
        results: Sequence[RuleResult],
        operation: str,
    ) -> None:
        self._operation = operation
        self._context = context
        self._policy = policy
        self._run_id = run_id
        self._decided_at = decided_at
        self._version = ruleset_version
        self._failing = failing
        self._failed = frozenset[Key]().union(*failing.values())
        self._not_run = "; ".join(f"{each.code}: {each.error}" for each in results if each.error)

    def rows(self, part: pa.RecordBatch) -> Iterator[Mapping[str, Any]]:
        """The rows of a part of the frame: whole where something failed and is put into words, else what a decision holds."""
        slim = part.select(_DECIDED_OF).to_pylist()
        failed = [
            bool(self._not_run) or (row["business_id"], row["revision"]) in self._failed for row in slim
        ]
        whole = iter(part.filter(pa.array(failed, pa.bool_())).to_pylist())
        return (next(whole) if has_failed else row for row, has_failed in zip(slim, failed, strict=True))

    def decide(self, row: Mapping[str, Any]) -> Decision:
        """The decision on one row of the frame."""
        key: Key = (row["business_id"], row["revision"])
        reasons = [self._approved(key, row, each) for each in self._reasons(key, row)]
        if self._is_posted_unchanged(key, row["content_hash"]) and not self._not_run:
            reasons = [
                each for each in reasons if each["disposition"] in PASSING or each["code"] in AFTER_POSTING
            ]
        codes = tuple(each["code"] for each in reasons if each["disposition"] not in PASSING)
        warnings = tuple(each["code"] for each in reasons if each["disposition"] in PASSING)
        verdict: Literal["released", "blocked"] = "blocked" if codes else "released"
        identity = [
            *key, row["input_hash"], row["content_hash"], self._version, row["as_of"].isoformat(),
            verdict, codes, warnings, self._operation,
        ]  # fmt: skip
        return Decision(
            decision_id=sha256_hex(canonical_json(identity)),
            business_id=key[0],
            revision=key[1],
            company_id=row["company_id"],
            order_no=row["order_no"],
            shipment_no=row["shipment_no"],
            customer_id=row["customer_id"],
            verdict=verdict,
            codes=codes,
            warnings=warnings,
            reasons=reasons,
            input_hash=row["input_hash"],
            content_hash=row["content_hash"],
            ruleset_version=self._version,
            policy_version=self._policy.policy_version,
            as_of=row["as_of"],
            decided_at=self._decided_at,
            amount=row["grand_total_amount"],
            currency=row["currency"],
            run_id=self._run_id,
            is_first_evaluation=key not in self._context.previous,
            rules_approved_by=self._policy.approver_of(self._version),
            operation=self._operation,
        )

    def _is_posted_unchanged(self, key: Key, content_hash: str) -> bool:
        """The invoice is in the ERP as it would be billed today: nothing more will be sent for it."""
        entry = self._context.outbox.get(key)
        return entry is not None and entry.state in POSTED and entry.content_hash == content_hash

    def _approved(self, key: Key, row: Mapping[str, Any], reason: dict[str, Any]) -> dict[str, Any]:
        """The reason, or that a second person let it pass on these very inputs, by these very rules."""
        approval = self._context.approvals.get(key)
        if (
            reason["disposition"] != "APPROVAL"
            or approval is None
            or reason["code"] not in approval.codes
            or not approval.holds_for(row["input_hash"], self._version)
        ):
            return reason
        by = f"{approval.answered_by}, asked by {approval.asked_by}"
        return reason | {"disposition": "APPROVED", "approval": approval.approval_id, "approved_by": by}

    def _reasons(self, key: Key, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every rule that failed on this row, in the order of the index, in words."""
        reasons = [
            told(rules.rule(code), row, self._policy) for code, keys in self._failing.items() if key in keys
        ]
        if self._not_run:
            reasons = [each for each in reasons if each["code"] != NOT_RUN]
            reasons.append(told(rules.rule(NOT_RUN), row, self._policy) | {"seen": self._not_run})
        return reasons
