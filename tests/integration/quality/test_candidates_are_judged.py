"""From raw rows over dbt's candidates to a verdict: the model's columns are what the gate can judge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from contracts.arrow import schema_of
from contracts.invoice import InvoiceCandidate
from core.clock import utc_now
from core.connections import Connection, Destination
from core.settings import Settings
from core.warehouse import open_warehouse
from quality.gate import gate
from quality.intake import conform
from state import dead_letters, observations
from state.decisions import Decision
from state.engine import open_state
from tests.support.warehouse import create_raw_tables, insert_rows, run_dbt

AS_OF = datetime(2026, 11, 13, 17, 0, tzinfo=UTC)
CONNECTIONS = (
    Connection(connection="erp", kind="erp", adapter="frappe", owner="f", destination=Destination()),
    Connection(connection="dispatch", kind="dispatch", adapter="otm5", owner="d"),
    Connection(connection="pod", kind="pod", adapter="onfleet", owner="p"),
)


def at(hour: int, minute: int = 0, day: int = 13) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def masters(path: Path) -> None:
    """One company, two items, one tax code, three customers."""
    company = {"company_id": "WBDE", "name": "W", "currency": "EUR", "time_zone": "Europe/Berlin"}
    insert_rows(path, "erp", "companies", [company])
    item = {"name": "Pallet", "uom": "EA", "income_account": "4000", "weight_kg": Decimal(10)}
    insert_rows(path, "erp", "items", [{"item_id": "I1", **item}, {"item_id": "I2", **item}])
    insert_rows(path, "erp", "tax_codes", [{"tax_code": "DE19", "rate_percent": Decimal(19)}])
    good = {"name": "C", "payment_terms": "30 days", "bill_to_address": "Am Kai 1", "country": "DE"}
    customers: list[dict[str, Any]] = [
        {"customer_id": "C1"},
        {"customer_id": "SELF", "is_self_billed": True},
        {"customer_id": "SIGN", "requires_signature": True},
    ]
    insert_rows(path, "erp", "customers", [good | each for each in customers])


def order(path: Path, number: int, customer: str) -> None:
    """An order of five pallets."""
    header = {
        "order_id": f"SO-{number}", "customer_id": customer, "currency": "EUR", "status": "confirmed",
        "ordered_at": at(8, day=11), "confirmed_at": at(9, day=11), "company_id": "WBDE",
        "net_total_amount": Decimal(100), "tax_total_amount": Decimal(19), "grand_total_amount": Decimal(119),
    }  # fmt: skip
    line = {
        "order_line_id": f"SO-{number}-1", "order_id": f"SO-{number}", "line_no": 1, "item_id": "I1",
        "quantity": Decimal(5), "uom": "EA", "unit_price_amount": Decimal(20), "net_amount": Decimal(100),
        "contract_price_amount": Decimal(20), "tax_code": "DE19", "tax_rate_percent": Decimal(19),
    }  # fmt: skip
    insert_rows(path, "erp", "orders", [header])
    insert_rows(path, "erp", "order_lines", [line])


def load(path: Path, number: int) -> None:
    """The five pallets loaded and handed over."""
    name = f"CON-{number}"
    head = {"consignment_id": name, "order_id": f"SO-{number}", "status": "completed"}
    insert_rows(path, "dispatch", "consignments", [head | {"time_zone": "Europe/Berlin"}])
    goods = {"item_id": "I1", "quantity": Decimal(5), "uom": "EA", "order_line_id": f"SO-{number}-1"}
    insert_rows(
        path,
        "dispatch",
        "consignment_lines",
        [goods | {"consignment_line_id": f"{name}-1", "consignment_id": name}],
    )
    action = {"lifecycle": "realized", "result_status": "succeeded", "consignment_id": name}
    actions: list[dict[str, Any]] = [
        {"action_id": f"{name}-load", "action_type": "load", "start_at": at(5), "end_at": at(6)},
        {"action_id": f"{name}-over", "action_type": "handOver", "start_at": at(9), "end_at": at(10)},
    ]
    insert_rows(path, "dispatch", "actions", [action | each for each in actions])


def prove(path: Path, number: int, delivered: dict[str, Any] | None = None, **pod: Any) -> None:
    """A proof for all five; ``delivered`` changes its line."""
    head = {
        "pod_id": f"POD-{number}", "consignment_id": f"CON-{number}", "outcome": "succeeded",
        "captured_at": at(10), "received_at": at(10, 5), "order_id": f"SO-{number}",
        "has_line_quantities": True,
    }  # fmt: skip
    line = {
        "pod_line_id": f"POD-{number}-1", "pod_id": f"POD-{number}", "item_id": "I1",
        "quantity": Decimal(5), "uom": "EA", "order_line_id": f"SO-{number}-1",
    }  # fmt: skip
    insert_rows(path, "pod", "proofs", [head | pod])
    insert_rows(path, "pod", "delivered_lines", [line | (delivered or {})])


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(home=tmp_path_factory.mktemp("gate"))
    create_raw_tables(made.warehouse)
    masters(made.warehouse)
    path = made.warehouse
    for number in range(1, 13):
        if number != 8:
            order(path, number, {3: "SELF", 4: "SIGN"}.get(number, "C1"))
        load(path, number)
    for number in (1, 3, 4, 7, 8):
        prove(path, number)
    prove(path, 5, order_id="SO-1")
    prove(path, 6, captured_at=at(4))
    prove(path, 9, {"uom": "Crate"})
    prove(path, 10, {"item_id": "I2", "order_line_id": None})
    prove(path, 11, {"quantity": Decimal(0)})
    prove(path, 12, {"quantity": Decimal(3)}, outcome="partiallySucceeded")
    result = run_dbt(
        made.warehouse,
        "build",
        "--select",
        "tag:before_gate",
        "--resource-types",
        "model",
        "seed",
        as_of=AS_OF.isoformat(),
        go_live_at=None,
    )
    assert result.success, [each.message for each in result.result or () if each.status == "error"]
    return made


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[Engine]:
    made = open_state(settings)
    for connection in CONNECTIONS:
        observations.record(made, connection.connection, connection.kind, True, utc_now(), None)
    dead_letters.record(made, [
        dead_letters.DeadLetter(
            connection="erp", kind="erp", resource="order_lines", source_id="SO-7-2", order_ref="SO-7",
            shipment_ref=None, reason="AMOUNT_INVALID", detail="NaN", raw=b"{}", raw_sha256="0" * 64,
            trace_id="t", run_id="r", status="open", received_at=utc_now(), park_until=None,
            source_version=None)])  # fmt: skip
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def verdicts(settings: Settings, engine: Engine) -> dict[str, Decision]:
    return {each.shipment_no: each for each in gate(settings, engine, CONNECTIONS, "run_1").decisions}


def test_the_model_gives_the_columns_of_the_contract_in_types_that_can_be_judged(settings: Settings) -> None:
    with open_warehouse(settings, "test") as warehouse:
        table = warehouse.execute("SELECT * FROM candidates.invoice_candidates").to_arrow_table()
    assert set(table.column_names) == set(schema_of(InvoiceCandidate).names)
    intake = conform(table)
    assert intake.missing == ()
    assert not any(intake.unfit), intake.unfit


@pytest.mark.parametrize(
    ("number", "codes"),
    [
        (1, ()),
        (2, ("POD_MISSING",)),
        (3, ("SELF_BILLED",)),
        (4, ("POD_DOCUMENT_REQUIRED",)),
        (5, ("POD_WRONG_CONSIGNMENT",)),
        (6, ("POD_BEFORE_DISPATCH",)),
        (7, ("CONTRACT_BROKEN",)),
        (8, ("CONTRACT_BROKEN",)),
        (9, ("UOM_UNCONVERTIBLE",)),
        (10, ("ITEM_NOT_ON_ORDER",)),
        (11, ("NOTHING_DELIVERED",)),
        (12, ()),
    ],
)
def test_each_shipment_gets_its_verdict(
    verdicts: dict[str, Decision], number: int, codes: tuple[str, ...]
) -> None:
    decision = verdicts[f"CON-{number}"]
    assert decision.codes == codes
    assert decision.warnings == (), decision.reasons
    if not codes:
        billed = {1: Decimal("119.0000"), 12: Decimal("71.4000")}
        assert (decision.amount, decision.currency) == (billed[number], "EUR")
