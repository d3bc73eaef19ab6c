"""From the answers of the checks to one decision per candidate, with every reason in words.

Pure: a decision comes of its row of the frame, the failing rules and the policy, and of nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

from core.ids import canonical_json, sha256_hex
from quality import rules
from quality.context import Key
from quality.policy import Policy
from quality.rule import Rule
from quality.suites import invoice_candidates as suite
from quality.wording import told
from state.decisions import PASSING, Decision

NOT_RUN = "CHECK_NOT_RUN"
_ROWS_AT_ONCE = 2_000
"""A row of the frame in Python takes ten times what it takes in the frame."""
_DECIDED_OF = [
    "business_id", "revision", "company_id", "order_no", "shipment_no", "customer_id", "input_hash", "content_hash",
    "posted_content_hash", "as_of", "grand_total_amount", "currency",
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


def by_rule(
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


class Judge:
    """Turns the failing rules of one row into its decision."""

    def __init__(
        self,
        policy: Policy,
        run_id: str,
        decided_at: datetime,
        ruleset_version: str,
        failing: Mapping[str, frozenset[Key]],
        results: Sequence[RuleResult],
        operation: str,
        previous: Collection[Key],
        approved_by: str | None,
    ) -> None:
        self._approved_by = approved_by
        self._operation = operation
        self._previous = previous
        self._policy = policy
        self._run_id = run_id
        self._decided_at = decided_at
        self._version = ruleset_version
        self._failing = failing
        self._failed = frozenset[Key]().union(*failing.values())
        self.not_run = "; ".join(f"{each.code}: {each.error}" for each in results if each.error)

    def decisions(self, frame: pa.Table) -> tuple[Decision, ...]:
        """One decision per candidate, in the order in which the frame first names it."""
        made: dict[Key, Decision] = {}
        for part in frame.to_batches(max_chunksize=_ROWS_AT_ONCE):
            for row in self._rows(part):
                made.setdefault((row["business_id"], row["revision"]), self._decide(row))
        return tuple(made.values())

    def _rows(self, part: pa.RecordBatch) -> Iterator[Mapping[str, Any]]:
        """The rows of a part of the frame: whole where something failed and is put into words, else what a decision holds."""
        slim = part.select(_DECIDED_OF).to_pylist()
        failed = [bool(self.not_run) or (row["business_id"], row["revision"]) in self._failed for row in slim]
        whole = iter(part.filter(pa.array(failed, pa.bool_())).to_pylist())
        return (next(whole) if has_failed else row for row, has_failed in zip(slim, failed, strict=True))

    def _decide(self, row: Mapping[str, Any]) -> Decision:
        """The decision on one row of the frame."""
        key: Key = (row["business_id"], row["revision"])
        reasons = [_approved(row, each) for each in self._reasons(key, row)]
        if _is_posted_unchanged(row) and not self.not_run:
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
            is_first_evaluation=key not in self._previous,
            rules_approved_by=self._approved_by,
            operation=self._operation,
        )

    def _reasons(self, key: Key, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every rule that failed on this row, in the order of the index, in words."""
        reasons = [
            told(rules.rule(code), row, self._policy) for code, keys in self._failing.items() if key in keys
        ]
        if self.not_run:
            reasons = [each for each in reasons if each["code"] != NOT_RUN]
            reasons.append(told(rules.rule(NOT_RUN), row, self._policy) | {"seen": self.not_run})
        return reasons


def _is_posted_unchanged(row: Mapping[str, Any]) -> bool:
    """The invoice is in the ERP as it would be billed today: nothing more will be sent for it."""
    return row["posted_content_hash"] is not None and row["posted_content_hash"] == row["content_hash"]


def _approved(row: Mapping[str, Any], reason: dict[str, Any]) -> dict[str, Any]:
    """The reason, or that a second person let it pass (``facts``)."""
    if reason["disposition"] != "APPROVAL" or reason["code"] not in (row["approved_codes"] or "").split():
        return reason
    told = {"approval": row["approval_id"], "approved_by": row["approved_by"]}
    return reason | {"disposition": "APPROVED", **told}
