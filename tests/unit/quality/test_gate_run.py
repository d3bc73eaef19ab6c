"""The gate over a warehouse and a state store: what it reads, records and leaves alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from candidate_rows import candidate
from sqlalchemy import Engine

from contracts.arrow import schema_of
from contracts.invoice import InvoiceCandidate
from core.clock import utc_now
from core.connections import Connection, Destination
from core.settings import Settings
from core.warehouse import open_warehouse
from quality.context import GateContext
from quality.explain import explain
from quality.gate import GateResult, evaluate, gate
from quality.policy import load_policy
from quality.replay import replay
from quality.rules import ruleset_version
from quality.state_view import read_context
from state import approvals, decisions, observations
from state.engine import open_state

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
    seen = GateContext(destinations={"erp": True})
    policy = load_policy()
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
