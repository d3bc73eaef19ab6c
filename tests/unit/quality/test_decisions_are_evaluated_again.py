"""Kept decisions come out of their kept inputs again; what was tampered with, and what other rules say, is told."""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from candidate_rows import AS_OF, RULES, candidate, context
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rule_cases import CASES, filled
from sqlalchemy import Engine, text

from core.flows import FULFILMENT, INVOICE
from core.settings import Settings
from quality.context import GateContext
from quality.explain import explain
from quality.facts import facts
from quality.gate import GateResult, evaluate
from quality.inputs import BatchInputs, read
from quality.intake import conform
from quality.policy import Policy, load_policy
from quality.replay import Replayed, replay
from quality.rules import ruleset_version
from state import decisions, gate_inputs, ledger
from state.approvals import Approval
from state.decisions import Decision
from state.engine import open_state
from tests.support.approved_rules import let_in

POLICY = load_policy()
DEAR = {"grand_total_amount": Decimal("250119.00"), "net_total_amount": Decimal("250100.00"),
        "lines_net_amount": Decimal("250100.00")}  # fmt: skip
NUMBERS = count(10_000)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = open_state(Settings(home=tmp_path_factory.mktemp("home")))
    let_in(made, RULES.version)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store that holds nothing yet: to copy it takes less than to make it anew for each test."""
    made = Settings(home=tmp_path_factory.mktemp("empty"))
    engine = open_state(made)
    let_in(engine, RULES.version)
    engine.dispose()
    return made.state


@pytest.fixture
def engine(tmp_path: Path, empty: Path) -> Iterator[Engine]:
    shutil.copy(empty, Settings(home=tmp_path).state)
    made = open_state(Settings(home=tmp_path))
    yield made
    made.dispose()


def decided(engine: Engine, rows: list[dict[str, Any]], seen: GateContext | None = None) -> GateResult:
    result = evaluate(rows, seen or context(), POLICY, "run_1", AS_OF)
    decisions.record(engine, result.decisions, result.inputs)
    return result


def again(engine: Engine, policy: Policy = POLICY) -> list[Replayed]:
    return list(replay(engine, decisions.every(engine), policy))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "po_no": st.none() | st.text(max_size=20),
    "bill_to_address": st.none() | st.text(max_size=40),
    "lines_json": st.text(max_size=40),
    "grand_total_amount": st.none()
    | st.decimals(allow_nan=True, allow_infinity=True)
    | st.decimals("-99999999999999", "99999999999999", places=4),
    "max_price_difference_percent": st.decimals(0, 9_999_999, places=8),
    "pod_distance_m": st.none() | st.floats(),
    "pod_captured_at": st.none()
    | st.datetimes(
        datetime(1971, 1, 1),
        datetime(2200, 1, 1),
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5.75))]),
    ),
    "posting_date": st.none() | st.dates(),
    "delivered_quantity": st.none() | st.decimals(-10, 10, places=4),
    "live_pod_count": st.none() | st.integers(-1, 2),
    "requires_signature": st.none() | st.booleans(),
}
CHANGES = st.fixed_dictionaries({}, optional=VALUES) | st.sampled_from(
    [case.trips for case in CASES.values()]
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(CHANGES, min_size=1, max_size=4))
def test_every_value_that_was_judged_is_read_back_as_it_was(changes: list[dict[str, Any]]) -> None:
    intake = conform([candidate(number, **each) for number, each in enumerate(changes)])
    found = facts(intake, context(), POLICY, "r")
    keys = zip(
        intake.table.column("business_id").to_pylist(),
        intake.table.column("revision").to_pylist(),
        strict=True,
    )
    named = [_named(key) for key in keys]
    lines = list(BatchInputs(intake.table, found, INVOICE.operation, "").lines(named))
    candidates, looked_up = read(lines, INVOICE.operation)
    assert _plain(candidates) == _plain(intake.table)
    assert _plain(looked_up) == _plain(found)
    assert (candidates.schema.types, looked_up.schema) == (intake.table.schema.types, found.schema)


def _named(key: tuple[str, int]) -> Decision:
    return Decision(
        decision_id=f"d-{key[0]}", business_id=key[0], revision=key[1], company_id=None, order_no=None, shipment_no="S",
        customer_id=None, verdict="blocked", codes=(), warnings=(), reasons=[], input_hash="i", content_hash="c",
        ruleset_version="r", policy_version="p", as_of=AS_OF, decided_at=AS_OF, amount=None, currency=None, run_id="run",
        is_first_evaluation=True,
    )  # fmt: skip


def _plain(table: Any) -> list[dict[str, Any]]:
    """The rows, what is no number as a word: it is not equal to itself."""
    return [
        {
            name: "nan" if isinstance(value, float) and math.isnan(value) else value
            for name, value in row.items()
        }
        for row in table.to_pylist()
    ]


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(CHANGES, min_size=1, max_size=6))
def test_every_decision_on_any_candidates_comes_out_equal(
    store: Engine, changes: list[dict[str, Any]]
) -> None:
    result = decided(store, [candidate(next(NUMBERS), **each) for each in changes])
    kept = decisions.latest(store, [each.business_id for each in result.decisions])
    assert [each.outcome for each in replay(store, [list(kept.values())], POLICY)] == ["equal"] * len(changes)


def test_every_rule_comes_out_equal_where_it_fails_and_where_it_just_does_not(engine: Engine) -> None:
    for start, which in ((1, "trips"), (1_001, "passes")):
        rows, state = [], dict[str, dict[Any, Any]](destinations={"erp": True})
        for number, case in enumerate(CASES.values(), start):
            rows.append(candidate(number, **getattr(case, which)))
            for name, part in filled(getattr(case, f"{which}_state"), number).items():
                state[name] = state.get(name, {}) | part
        decided(engine, rows, context(**state))
    found = again(engine)
    assert Counter(each.outcome for each in found) == {"equal": 2 * len(CASES)}
    assert len({code for each in found for code in each.decision.codes}) > 40


def test_what_a_second_person_let_pass_comes_out_equal_and_names_them(engine: Engine) -> None:
    row = candidate(1, **DEAR)
    held = decided(engine, [row]).decisions[0]
    assert "VALUE_OVER_LIMIT" in held.codes
    given = Approval(
        approval_id=7, business_id="b-1", revision=1, shipment_no="S1", decision_id=held.decision_id, codes=held.codes,
        input_hash=held.input_hash, content_hash=held.content_hash, ruleset_version=held.ruleset_version, amount=None,
        currency=None, asked_by="anna", asked_because="r", asked_at=AS_OF, answer="granted", answered_by="boris",
        answered_because="r", answered_at=AS_OF,
    )  # fmt: skip
    result = evaluate([row], context(approvals={("b-1", 1): given}), POLICY, "run_2", AS_OF)
    decisions.record(engine, result.decisions, result.inputs)
    assert [each.outcome for each in again(engine)] == ["equal", "equal"]
    assert "VALUE_OVER_LIMIT" in result.decisions[0].warnings


def test_a_candidate_that_came_twice_comes_out_equal(engine: Engine) -> None:
    result = decided(engine, [candidate(1), candidate(2), candidate(1, po_no=None)])
    assert set(result.decisions[0].codes) == {"CHECK_NOT_RUN", "PO_REFERENCE_REQUIRED"}
    assert [each.outcome for each in again(engine)] == ["equal", "equal"]


def test_a_confirmation_comes_out_equal_too(engine: Engine) -> None:
    result = evaluate(
        [candidate(1), candidate(2, live_pod_count=0)], context(), POLICY, "run_1", AS_OF, flow=FULFILMENT
    )
    decisions.record(engine, result.decisions, result.inputs)
    assert [each.outcome for each in again(engine)] == ["equal", "equal"]


def test_an_unchanged_candidate_is_kept_once(engine: Engine) -> None:
    decided(engine, [candidate(1)])
    decided(engine, [candidate(1), candidate(2)])
    with engine.connect() as db:
        assert db.scalar(text("SELECT sum(decision_count) FROM gate_inputs")) == 2
    assert [each.decision.shipment_no for each in again(engine)] == ["S1", "S2"]


def tampered(engine: Engine, table: str, change: str) -> None:
    """Somebody takes the guards away and edits a row."""
    with engine.begin() as db:
        for verb in ("update", "delete"):
            db.execute(text(f"DROP TRIGGER {table}_no_{verb}"))
        db.execute(text(change))


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ("verdict = 'released', codes = '[]', reasons = '[]'", "different"),
        ("amount = '1.19'", "different"),
        ("reasons = '[]'", "different"),
        ("decision_id = 'another'", "lost"),
        ("inputs_batch = 'another'", "lost"),
        # Near misses: in which run it was, and when, comes out of no inputs.
        ("run_id = 'run_9', decided_at = '2026-11-13T17:00:01.000000+00:00'", "equal"),
        ("verdict = verdict", "equal"),
    ],
)
def test_a_decision_that_was_tampered_with_is_found(engine: Engine, change: str, outcome: str) -> None:
    decided(engine, [candidate(1, po_no=None), candidate(2)])
    tampered(engine, "gate_decisions", f"UPDATE gate_decisions SET {change} WHERE shipment_no = 'S1'")
    assert [each.outcome for each in again(engine) if each.decision.shipment_no == "S1"] == [outcome]
    assert [each.outcome for each in again(engine) if each.decision.shipment_no == "S2"] == ["equal"]


def test_inputs_that_were_tampered_with_are_found(engine: Engine) -> None:
    decided(engine, [candidate(1, po_no=None)])
    tampered(engine, "gate_inputs", "UPDATE gate_inputs SET content = x'00'")
    (found,) = again(engine)
    assert found.outcome == "lost" and "cannot be unpacked" in (found.why or "")
    with engine.begin() as db:
        db.execute(text("DELETE FROM gate_inputs"))
    assert "is gone" in (again(engine)[0].why or "")


def test_inputs_and_decision_made_anew_together_are_unknown_to_the_ledger(engine: Engine) -> None:
    decided(engine, [candidate(1)])
    with engine.begin() as db:
        db.execute(text("DROP TRIGGER ledger_no_update"))
        db.execute(text(f"UPDATE ledger SET subject = 'another' WHERE event = '{gate_inputs.EVENT}'"))
    assert "the ledger holds no word" in (again(engine)[0].why or "")
    assert ledger.verify(engine).problem is not None


def test_a_check_that_broke_then_cannot_be_repeated_and_is_told(engine: Engine) -> None:
    result = evaluate([candidate(1)], context(), POLICY, "run_1", AS_OF)
    assert result.inputs is not None
    broken = BatchInputs(
        result.inputs.candidates, result.inputs.facts, INVOICE.operation, "PO: no such column"
    )
    decisions.record(engine, result.decisions, broken)
    (found,) = again(engine)
    assert (found.outcome, found.why) == ("unrepeatable", "checks broke then: PO: no such column")


def test_a_decision_older_than_its_inputs_is_told(engine: Engine) -> None:
    decisions.record(engine, evaluate([candidate(1)], context(), POLICY, "run_1", AS_OF).decisions)
    assert [each.outcome for each in again(engine)] == ["unkept"]


def test_a_change_of_rules_says_which_decisions_would_come_out_differently(engine: Engine) -> None:
    decided(engine, [candidate(1), candidate(2, **DEAR), candidate(3, po_no=None)])
    limits = POLICY.invoice_limit_amount | {"EUR": Decimal("300000")}
    higher = POLICY.model_copy(update={"policy_version": "higher", "invoice_limit_amount": limits})
    assert ruleset_version(higher) != ruleset_version(POLICY)
    found = {each.decision.shipment_no: each for each in again(engine, higher)}
    assert [found[name].outcome for name in ("S1", "S2", "S3")] == [
        "same_by_other_rules", "other_by_other_rules", "same_by_other_rules",
    ]  # fmt: skip
    now = found["S2"].again
    assert now is not None and "VALUE_OVER_LIMIT" not in now.codes and "RULESET_UNAPPROVED" not in now.codes


def test_the_explanation_shows_what_was_looked_at(engine: Engine) -> None:
    decided(engine, [candidate(1, po_no=None)])
    (decision,) = decisions.latest(engine).values()
    ((_, line),) = gate_inputs.find(engine, [decision])
    assert isinstance(line, str) and json.loads(line)["decision_id"] == decision.decision_id
    told = explain(decision, line)
    for shown in (
        "grand total",
        "119 EUR",
        "POD captured",
        "2026-11-13 10:00:00 UTC",
        "waybill gate replay S1",
    ):
        assert shown in told
    assert "po no" not in told.lower().split("looked at")[1]
    assert "not kept" in explain(decision)
