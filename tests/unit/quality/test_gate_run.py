"""The gate over a warehouse and a state store: what it reads, records and leaves alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pyarrow as pa
import pytest
from candidate_rows import RULES, candidate
from sqlalchemy import Engine

from contracts.arrow import schema_of
from contracts.invoice import InvoiceCandidate
from core.clock import utc_now
from core.connections import Connection, Destination
from core.errors import ConfigurationError
from core.settings import Settings
from core.warehouse import open_warehouse
from quality.context import GateContext
from quality.explain import explain
from quality.gate import GateResult, approved_policy, evaluate, gate, gate_part
from quality.policy import DEFAULT, Policy, load_policy
from quality.replay import replay
from quality.rules import ruleset, ruleset_version
from quality.state_view import read_context
from state import approvals, decisions, observations, rulesets
from state.engine import open_state
from tests.support.approved_rules import let_in

CONNECTIONS = (
    Connection(connection="erp", kind="erp", adapter="frappe", owner="f", destination=Destination()),
    Connection(connection="dispatch", kind="dispatch", adapter="otm5", owner="d"),
    Connection(connection="pod", kind="pod", adapter="onfleet", owner="p"),
    Connection(connection="depot_pod", kind="pod", adapter="signed_links", owner="p"),
)


def publish(settings: Settings, rows: list[dict[str, Any]]) -> None:
    """The tables that dbt would have built. POD P1 comes from ``pod``, P2 from ``depot_pod``."""
    with open_warehouse(settings, "test") as warehouse:
        table = pa.Table.from_pylist(rows, schema=schema_of(InvoiceCandidate))
        warehouse.register("incoming", table)
        for name in ("candidates", "canonical"):
            warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")
        warehouse.execute(
            "CREATE OR REPLACE TABLE candidates.invoice_candidates AS SELECT * FROM incoming;"
            "CREATE OR REPLACE TABLE canonical.canonical_shipments AS"
            " SELECT shipment_no AS source_id, 'dispatch' AS source_system FROM incoming;"
            "CREATE OR REPLACE TABLE canonical.canonical_proofs_of_delivery AS SELECT pod_id AS source_id,"
            " if(pod_id = 'P2', 'depot_pod', 'pod') AS source_system FROM incoming WHERE pod_id <> 'P3'"
        )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    made = open_state(settings)
    for connection in CONNECTIONS:
        observations.record(made, connection.connection, connection.kind, True, utc_now(), None)
    yield made
    made.dispose()


def run(settings: Settings, engine: Engine, run_id: str) -> GateResult:
    return gate(settings, engine, CONNECTIONS, run_id)


def test_a_second_run_over_the_same_candidates_records_nothing_new(
    settings: Settings, engine: Engine
) -> None:
    publish(settings, [candidate(1), candidate(2, po_no=None)])
    first = run(settings, engine, "run_1")
    assert [each.verdict for each in first.decisions] == ["released", "blocked"]
    kept = decisions.latest(engine)
    assert {each.decision_id for each in kept.values()} == {each.decision_id for each in first.decisions}
    again = run(settings, engine, "run_2")
    assert [each.verdict for each in again.decisions] == ["released", "blocked"]
    assert decisions.latest(engine) == kept
    assert (settings.data_docs / "index.html").exists()


def test_what_is_kept_of_a_decision_comes_out_again_of_the_same_inputs_and_of_no_others(
    engine: Engine,
) -> None:
    """By the hashes that a decision holds one tells whether inputs that are given again are the same."""
    rows = [candidate(1), candidate(2, po_no=None)]
    seen = GateContext(destinations={"erp": True}, rules=RULES)
    policy = approved_policy(engine)
    decided_at = utc_now()
    decisions.record(engine, evaluate(rows, seen, policy, "run_1", decided_at).decisions)
    kept = decisions.latest(engine)
    assert {each.verdict for each in kept.values()} == {"released", "blocked"}
    again = evaluate(rows, seen, policy, "run_1", decided_at)
    assert {each.key: each for each in again.decisions} == kept
    assert all(each.ruleset_version == ruleset_version(policy) for each in kept.values())
    other = evaluate([rows[0] | {"po_no": None}, rows[1]], seen, policy, "run_1", decided_at)
    changed = {each.key: each.decision_id for each in other.decisions}
    assert [changed[key] == kept[key].decision_id for key in sorted(kept)] == [False, True]


def test_a_mended_candidate_is_released_but_not_at_its_first_pass(settings: Settings, engine: Engine) -> None:
    publish(settings, [candidate(1, po_no=None)])
    run(settings, engine, "run_1")
    publish(settings, [candidate(1, input_hash="mended")])
    (decision,) = run(settings, engine, "run_2").decisions
    assert (decision.verdict, decision.is_first_evaluation) == ("released", False)


def test_a_dead_pod_app_holds_only_what_rests_on_it(settings: Settings, engine: Engine) -> None:
    publish(settings, [candidate(1), candidate(2), candidate(3)])
    observations.record(
        engine, "depot_pod", "pod", False, utc_now(), None, "answered 401", "Renew the token."
    )
    own, hit, unknown = run(settings, engine, "run_1").decisions
    assert (own.verdict, hit.codes, unknown.codes) == ("released", ("SOURCE_STALE",), ("SOURCE_STALE",))
    assert "depot_pod (failed: answered 401)" in hit.reasons[0]["seen"]


def test_an_old_answer_is_stale_and_a_dead_erp_buffers(settings: Settings, engine: Engine) -> None:
    publish(settings, [candidate(1)])
    observations.record(engine, "erp", "erp", False, utc_now(), None, "timed out")
    old = utc_now() - timedelta(days=2)
    slow = Connection(connection="slow", kind="dispatch", adapter="otm5", owner="d")
    observations.record(engine, "slow", "dispatch", True, old, None)
    with open_warehouse(settings, "test") as warehouse:
        seen = read_context(engine, (*CONNECTIONS, slow), warehouse)
    assert seen.destinations == {"erp": False}
    assert set(seen.stale) == {"erp", "slow"}
    (decision,) = run(settings, engine, "run_1").decisions
    assert set(decision.codes) == {"SOURCE_STALE", "ERP_UNAVAILABLE"}


def test_what_is_decided_as_it_was_before_it_was_decided_otherwise_is_kept_once_more(
    settings: Settings, engine: Engine
) -> None:
    publish(settings, [candidate(1), candidate(2, po_no=None)])
    said = []
    for number, answers in enumerate((True, False, True, False, True)):
        observations.record(engine, "erp", "erp", answers, utc_now(), None, None if answers else "timed out")
        run(settings, engine, f"run_{number}")
        said.append(decisions.latest(engine)["b-1", 1])
    assert [each.verdict for each in said] == ["released", "blocked", "released", "blocked", "released"]
    assert len({each.decision_id for each in said}) == 5
    replayed = [
        each
        for each in replay(engine, decisions.every(engine), load_policy())
        if each.decision.key[0] == "b-1"
    ]
    assert [each.outcome for each in replayed] == ["equal"] * 5
    assert not decisions.is_name_of(said[0].decision_id, said[1].decision_id)


def test_no_candidate_is_no_crash_and_no_pass(settings: Settings, engine: Engine) -> None:
    publish(settings, [])
    result = run(settings, engine, "run_1")
    assert (result.batch_fatal, result.passed) == ("EMPTY_BATCH", False)
    assert decisions.latest(engine) == {}


DEAR = {
    "net_total_amount": Decimal(300000), "lines_net_amount": Decimal(300000), "order_total_amount": Decimal(300000),
    "tax_total_amount": Decimal(57000), "lines_tax_amount": Decimal(57000), "grand_total_amount": Decimal(357000),
    "credit_limit_amount": Decimal(900000),
    "lines_json": '[{"line_id": "L1", "charge_key": "S1|L1|goods", "net_amount": "300000.00"}]',
}  # fmt: skip
"""More than the policy lets pass without a second person."""


def approve(engine: Engine) -> None:
    approvals.ask(engine, ("b-1", 1), "anna", "agreed", utc_now())
    approvals.answer(engine, ("b-1", 1), "granted", "boris", "seen the contract", utc_now())


def test_what_a_second_person_approved_is_released_and_says_by_whom(
    settings: Settings, engine: Engine
) -> None:
    publish(settings, [candidate(1, **DEAR)])
    (held,) = run(settings, engine, "run_1").decisions
    assert (held.verdict, held.codes) == ("blocked", ("VALUE_OVER_LIMIT",))
    approve(engine)
    (decision,) = run(settings, engine, "run_2").decisions
    assert (decision.verdict, decision.codes, decision.warnings) == ("released", (), ("VALUE_OVER_LIMIT",))
    (reason,) = decision.reasons
    assert (reason["disposition"], reason["approved_by"]) == ("APPROVED", "boris, asked by anna")
    assert decisions.latest(engine)["b-1", 1].decision_id == decision.decision_id
    assert "approved  by boris, asked by anna" in explain(decision)


@pytest.mark.parametrize("change", [{"input_hash": "f" * 64}, {"po_no": None, "input_hash": "f" * 64}])
def test_an_approval_lets_nothing_pass_but_what_was_looked_at(
    settings: Settings, engine: Engine, change: dict[str, Any]
) -> None:
    publish(settings, [candidate(1, **DEAR)])
    run(settings, engine, "run_1")
    approve(engine)
    publish(settings, [candidate(1, **DEAR, **change)])
    (decision,) = run(settings, engine, "run_2").decisions
    assert decision.verdict == "blocked"
    assert "VALUE_OVER_LIMIT" in decision.codes


def test_what_was_rejected_stays_blocked(settings: Settings, engine: Engine) -> None:
    publish(settings, [candidate(1, **DEAR)])
    run(settings, engine, "run_1")
    approvals.ask(engine, ("b-1", 1), "anna", "agreed", utc_now())
    approvals.answer(engine, ("b-1", 1), "rejected", "boris", "no contract", utc_now())
    assert run(settings, engine, "run_2").decisions[0].codes == ("VALUE_OVER_LIMIT",)


def test_an_approval_does_not_stand_for_another_rule_that_blocks_since(
    settings: Settings, engine: Engine
) -> None:
    publish(settings, [candidate(1, **DEAR)])
    run(settings, engine, "run_1")
    approve(engine)
    observations.record(engine, "erp", "erp", False, utc_now(), None, "timed out")
    (decision,) = run(settings, engine, "run_2").decisions
    assert (decision.verdict, "VALUE_OVER_LIMIT" in decision.codes) == ("blocked", False)


def change(monkeypatch: pytest.MonkeyPatch, folder: Path, old: str, new: str) -> Policy:
    """Somebody edits the policy file."""
    text = DEFAULT.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = folder / "policy.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    changed = load_policy(path)
    monkeypatch.setattr("quality.gate.load_policy", lambda: changed)
    return changed


def let_in_by_two(engine: Engine, own: rulesets.Ruleset) -> None:
    rulesets.propose(engine, own, "anna", "lorries wait at the gate", utc_now())
    rulesets.answer(engine, own.version, {"flows": own}, "granted", "boris", "seen", utc_now())


def test_a_new_store_takes_the_shipped_rules_and_its_decisions_say_so(
    settings: Settings, engine: Engine
) -> None:
    publish(settings, [candidate(1)])
    (decision,) = run(settings, engine, "run_1").decisions
    assert decision.verdict == "released"
    assert (decision.rules_approved_by or "").startswith("Waybill's release, taken by a store without rules")
    assert f"Rules approved by: {decision.rules_approved_by}" in explain(decision)


def test_a_changed_policy_judges_nothing_until_a_second_person_approved_it(
    settings: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(settings, [candidate(1, pod_distance_m=1500.0)])
    run(settings, engine, "run_1")
    before = decisions.latest(engine)
    own = ruleset(change(monkeypatch, tmp_path, "pod_distance_m: 1000", "pod_distance_m: 2000"))
    for judged in (
        lambda: run(settings, engine, "run_2"),
        lambda: gate_part(settings, engine, CONNECTIONS, "run_2", utc_now()),
    ):
        with pytest.raises(ConfigurationError, match=r"tolerances\.pod_distance_m: 1000 → 2000") as refused:
            judged()
        assert "propose-rules" in refused.value.remedy
        assert f"approve-rules {own.version[:12]}" in refused.value.remedy
    rulesets.propose(engine, own, "anna", "lorries wait at the gate", utc_now())
    with pytest.raises(ConfigurationError, match="Nobody approved") as refused:
        run(settings, engine, "run_3")
    assert "anna proposed them; somebody else" in refused.value.remedy
    assert decisions.latest(engine) == before, "what nobody approved says nothing"
    rulesets.answer(engine, own.version, {"flows": own}, "granted", "boris", "seen", utc_now())
    (decision,) = run(settings, engine, "run_4").decisions
    assert (decision.verdict, decision.warnings, decision.ruleset_version) == ("released", (), own.version)
    assert f"Rules approved by: boris, proposed by anna, {utc_now():%Y-%m-%d}" in explain(decision)
    assert decisions.latest(engine)["b-1", 1] == replace(decision, inputs_batch=ANY)


@pytest.mark.parametrize("seconds", [401, 300])
def test_approved_is_what_two_people_saw_and_neither_what_came_after_nor_what_was_before(
    settings: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """Also where another process on the same store still has the file of yesterday."""
    publish(settings, [candidate(1)])
    run(settings, engine, "run_1")
    let_in_by_two(engine, ruleset(change(monkeypatch, tmp_path, "pod_future_s: 300", "pod_future_s: 400")))
    run(settings, engine, "run_2")
    change(monkeypatch, tmp_path, "pod_future_s: 300", f"pod_future_s: {seconds}")
    with pytest.raises(ConfigurationError, match=f"tolerances.pod_future_s: 400 → {seconds}"):
        run(settings, engine, "run_3")
    change(monkeypatch, tmp_path, "pod_future_s: 300", "pod_future_s: 400")
    run(settings, engine, "run_4")


def test_rules_that_change_while_a_batch_is_judged_release_nothing_by_the_old_ones(
    settings: Settings, engine: Engine
) -> None:
    publish(settings, [candidate(1)])
    policy = approved_policy(engine)
    with open_warehouse(settings, "test") as warehouse:
        seen = read_context(engine, CONNECTIONS, warehouse)
    result = evaluate([candidate(1)], seen, policy, "run_1", utc_now())
    assert result.released == 1
    let_in(engine, "others")
    with pytest.raises(ConfigurationError, match="in force are others"):
        decisions.record(engine, result.decisions, result.inputs)
    assert decisions.latest(engine) == {}
    blocked = evaluate([candidate(1, po_no=None)], seen, policy, "run_1", utc_now())
    assert decisions.record(engine, blocked.decisions, blocked.inputs) == 1, "what holds needs no approval"


def test_a_new_store_does_not_take_a_policy_of_ones_own(
    settings: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(settings, [candidate(1)])
    own = ruleset(change(monkeypatch, tmp_path, "pod_future_s: 300", "pod_future_s: 400"))
    with pytest.raises(ConfigurationError, match="this store has none yet"):
        run(settings, engine, "run_1")
    let_in_by_two(engine, own)
    (decision,) = run(settings, engine, "run_2").decisions
    assert decision.verdict == "released"
