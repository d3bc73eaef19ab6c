"""Kept decisions evaluated again: equal by the rules they were made by, or what other rules would make of them.

Belongs here: judging kept inputs and comparing. What is kept is ``inputs``' and ``state.gate_inputs``' business; nothing is
written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
from sqlalchemy import Engine

from core.clock import utc_now
from core.flows import BY_OPERATION
from quality import rules
from quality.context import Key
from quality.facts import SCHEMA
from quality.gate import asked
from quality.inputs import Unreadable, read
from quality.judge import Judge, by_rule
from quality.policy import Policy
from state import gate_inputs
from state.decisions import Decision, is_name_of

Outcome = Literal[
    "equal", "different", "lost", "unkept", "unrepeatable", "same_by_other_rules", "other_by_other_rules"
]
BAD: frozenset[Outcome] = frozenset({"different", "lost"})
"""What must not be: the same rules say something else of the kept inputs, or these are not what was kept."""
_SAID = (
    "company_id", "order_no", "shipment_no", "customer_id", "verdict", "codes", "warnings", "reasons",
    "input_hash", "content_hash", "policy_version", "as_of", "amount", "currency",
)  # fmt: skip
"""What comes out equal of equal inputs and equal rules. Who approved these rules, in which run and when, does not."""
_JUDGED = ("verdict", "codes", "warnings")
_Line = tuple[Decision, str]


@dataclass(frozen=True)
class Replayed:
    """One decision, what became of it, and why if it is not equal. ``again``: what is decided now, where it can be."""

    decision: Decision
    outcome: Outcome
    again: Decision | None = None
    why: str | None = None


def replay(engine: Engine, parts: Iterable[Sequence[Decision]], policy: Policy) -> Iterator[Replayed]:
    """Each decision evaluated again by the rules of today under ``policy``.

    A decision by other rules is judged as if those of today were approved, by their limits; how large a batch usually was
    and what a second person let pass count as they did.
    """
    version = rules.ruleset_version(policy)
    for part in parts:
        lines: list[_Line] = []
        yield from (Replayed(each, "unkept") for each in part if each.inputs_batch is None)
        for decision, line in gate_inputs.find(engine, part):
            if isinstance(line, gate_inputs.Lost):
                yield Replayed(decision, "lost", why=str(line))
            elif not_run := json.loads(line).get("not_run"):
                yield Replayed(decision, "unrepeatable", why=f"checks broke then: {not_run}")
            else:
                lines.append((decision, line))
        for some in _rounds(lines):
            yield from _judged(some, policy, version)


def _rounds(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    """Lines of one flow and one kind of rules that name each candidate once, as a batch does."""
    rounds: dict[tuple[str, str, int], list[_Line]] = {}
    met: dict[tuple[str, Key], int] = {}
    for decision, line in lines:
        name = decision.operation, decision.key
        met[name] = met.get(name, 0) + 1
        rounds.setdefault((decision.operation, decision.ruleset_version, met[name]), []).append(
            (decision, line)
        )
    yield from rounds.values()


def _judged(lines: Sequence[_Line], policy: Policy, version: str) -> Iterator[Replayed]:
    operation = lines[0][0].operation
    is_same = lines[0][0].ruleset_version == version
    try:
        candidates, found = read([line for _, line in lines], operation)
    except Unreadable as error:
        if len(lines) == 1:
            yield Replayed(lines[0][0], "lost", why=f"its inputs cannot be read: {error}")
            return
        for each in lines:
            yield from _judged([each], policy, version)
        return
    if not is_same:
        found = _by_todays(found, candidates, policy, version)
    index = rules.INDEX[operation]
    frame, answers, _ = asked(candidates, found, policy, index, BY_OPERATION[operation])
    failing, results = by_rule(answers, index)
    judge = Judge(policy, "replay", utc_now(), version, failing, results, operation, (), None)
    again = {each.key: each for each in judge.decisions(frame)}
    for decision, _ in lines:
        yield _compared(decision, again.get(decision.key), is_same=is_same)


def _by_todays(found: pa.Table, candidates: pa.Table, policy: Policy, version: str) -> pa.Table:
    """The facts with the rules of today in place of those of then."""
    limits = [
        policy.invoice_limit_amount.get(each or "") for each in candidates.column("currency").to_pylist()
    ]
    new = {
        "ruleset_version": pa.array([version] * found.num_rows, pa.string()),
        "approved_ruleset_version": pa.array([version] * found.num_rows, pa.string()),
        "invoice_limit_amount": pa.array(limits, SCHEMA.field("invoice_limit_amount").type),
    }
    return pa.table([new.get(name, found.column(name)) for name in SCHEMA.names], schema=SCHEMA)


def _compared(decision: Decision, again: Decision | None, *, is_same: bool) -> Replayed:
    if again is None:
        return Replayed(decision, "different", why="its inputs are those of another candidate")
    names = _SAID if is_same else _JUDGED
    others = [name for name in names if getattr(again, name) != getattr(decision, name)]
    if is_same and not is_name_of(decision.decision_id, again.decision_id):
        others.insert(0, "decision_id")
    if is_same:
        why = f"not equal: {', '.join(others)}" if others else None
        return Replayed(decision, "different" if others else "equal", again, why)
    return Replayed(decision, "other_by_other_rules" if others else "same_by_other_rules", again)
