"""What contradicts itself between the systems: from raw rows through the models to the gate, and held there."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from quality.context import GateContext, Posted
from quality.gate import GateResult, evaluate
from quality.policy import load_policy
from quality.rules import ruleset_version
from state.rulesets import Approved
from tests.integration.dbt_core.conftest import AS_OF, GO_LIVE
from tests.support.deliveries import DELIVERED, DEPARTED, RECEIVED, World, moved
from tests.support.warehouse import create_raw_tables, query, run_dbt

HELD: dict[str, str] = {
    "cancelled-and-delivered": "POD_NOT_REALIZED_OK",
    "cancelled-at": "POD_NOT_REALIZED_OK",
    "order-gone": "ORDER_CANCELLED",
    "two-proofs": "POD_SUPERSEDED",
    "too-much": "QTY_OVER_DELIVERED",
    "too-early": "POD_BEFORE_DISPATCH",
    "voided": "POD_VOIDED",
    "decomposed": "POSSIBLE_DUPLICATE",
}


def plant(world: World) -> None:
    for name in (
        "clean",
        "posted",
        "posted-then-gone",
        "order-gone",
        "too-much",
        "two-proofs",
        "part",
        "fold",
    ):
        ended = {"status": "cancelled", "cancelled_at": RECEIVED} if name.endswith("gone") else {}
        world.order(f"O{name}", **ended)
        world.shipment(f"S{name}", f"O{name}")
    for name in ("clean", "posted", "posted-then-gone", "order-gone"):
        world.proof(f"P{name}", f"S{name}", order_id=f"O{name}")
    for name, ended in (
        ("cancelled-and-delivered", {"status": "cancelled"}),
        ("cancelled-at", {"cancelled_at": RECEIVED}),
    ):
        world.order(f"O{name}")
        world.shipment(f"S{name}", f"O{name}", **ended)
        world.proof(f"P{name}", f"S{name}", order_id=f"O{name}")
    world.proof("Ptoo-much", "Stoo-much", moved("Otoo-much-1", "11"), order_id="Otoo-much")
    world.proof("Ptwo-1", "Stwo-proofs", order_id="Otwo-proofs")
    world.proof("Ptwo-2", "Stwo-proofs", moved("Otwo-proofs-1", "9"), order_id="Otwo-proofs")
    world.proof("Ppart", "Spart", moved("Opart-1", "4"), order_id="Opart", outcome="partiallySucceeded")
    world.proof("Pfold", "Sfold", order_id="Ofold", time_quality="ambiguous")
    for name, changes in (
        ("too-early", {"captured_at": DEPARTED - timedelta(hours=1)}),
        ("voided", {"voided_at": RECEIVED}),
    ):
        world.order(f"O{name}")
        world.shipment(f"S{name}", f"O{name}")
        world.proof(f"P{name}", f"S{name}", order_id=f"O{name}", **changes)
    world.customer("C2")
    world.order("Odecomposed", customer_id="C2", po_no="Bu\u0308ro 7")
    world.shipment("Sdecomposed", "Odecomposed")
    world.proof("Pdecomposed", "Sdecomposed", order_id="Odecomposed")
    world.invoice("INV-1", customer_id="C2", po_no="B\u00fcro 7")
    world.customer("C3")
    world.order("Oother", customer_id="C3", po_no="Buro 7")
    world.shipment("Sother", "Oother")
    world.proof("Pother", "Sother", order_id="Oother")
    world.invoice("INV-2", customer_id="C3", po_no="B\u00fcro 7")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("held") / "warehouse.duckdb"
    create_raw_tables(path)
    world = World()
    plant(world)
    world.write(path)
    models = ("--select", "tag:before_gate", "--exclude-resource-type", "unit_test", "test")
    result = run_dbt(path, "build", *models, as_of=AS_OF, go_live_at=GO_LIVE)
    assert result.success, result.exception
    return path


@pytest.fixture(scope="module")
def verdicts(warehouse: Path) -> dict[str, Any]:
    with duckdb.connect(str(warehouse)) as connection:
        candidates = connection.execute("SELECT * FROM candidates.invoice_candidates").to_arrow_table()
    posted = {
        (row["business_id"], 1): Posted("RECONCILED", row["content_hash"])
        for row in candidates.to_pylist()
        if row["shipment_no"].startswith("Sposted")
    }
    policy = load_policy()
    rules = Approved(ruleset_version(policy), "boris")
    context = GateContext(outbox=posted, destinations={"erp": True}, rules=rules)
    result: GateResult = evaluate(candidates, context, policy, "run_1", datetime.fromisoformat(AS_OF))
    return {each.shipment_no[1:]: each for each in result.decisions}


@pytest.mark.parametrize("case", HELD)
def test_it_is_held_under_the_code_that_says_why(verdicts: dict[str, Any], case: str) -> None:
    decision = verdicts[case]
    assert decision.verdict == "blocked" and HELD[case] in decision.codes
    assert all(each["remedy"] for each in decision.reasons)


@pytest.mark.parametrize("case", ["clean", "posted", "part", "fold", "other"])
def test_its_near_miss_is_released(verdicts: dict[str, Any], case: str) -> None:
    assert (verdicts[case].verdict, verdicts[case].codes) == ("released", ())


def test_an_order_that_went_after_its_invoice_is_held_for_a_person(verdicts: dict[str, Any]) -> None:
    decision = verdicts["posted-then-gone"]
    assert (decision.verdict, decision.codes) == ("blocked", ("ORDER_CANCELLED",))


def test_of_two_proofs_that_contradict_each_other_both_are_kept(warehouse: Path) -> None:
    found = query(
        warehouse,
        "SELECT pod_id, is_live FROM canonical.canonical_proofs_of_delivery WHERE shipment_no = 'Stwo-proofs'",
    )
    assert sorted(row["pod_id"] for row in found) == ["Ptwo-1", "Ptwo-2"] and all(
        row["is_live"] for row in found
    )


def test_of_a_part_what_was_delivered_is_billed(warehouse: Path) -> None:
    [row] = query(
        warehouse, "SELECT net_total_amount FROM candidates.invoice_candidates WHERE shipment_no = 'Spart'"
    )
    assert row["net_total_amount"] == 40


def test_a_time_that_comes_twice_is_warned_of_and_its_row_is_kept(verdicts: dict[str, Any]) -> None:
    assert verdicts["fold"].warnings == ("TIME_AMBIGUOUS",)
    assert DELIVERED > DEPARTED
