"""From changes of exceptions to the candidates of alerts: what is told, what is history, and what concerns nobody yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.dbt_core.conftest import AS_OF, GO_LIVE, Row
from tests.support.deliveries import World
from tests.support.warehouse import create_raw_tables, query, run_dbt

OPENED = datetime(2026, 11, 12, 23, 30, tzinfo=UTC)


def tell(world: World, exception: str, shipment: str | None, *changes: str, since: datetime = OPENED) -> None:
    """Changes of an exception, an hour apart; ``shipment`` stands in the first alone."""
    for number, change in enumerate(changes):
        at = since + timedelta(hours=number)
        world.add("crm", "exception_events", event_id=f"{exception}-{number}", exception_id=exception, change=change,
                  occurred_at=at, detected_at=at, code="LATE", severity="high", cause_class="business",
                  consignment_id=None if number else shipment)  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Row]]:
    path = tmp_path_factory.mktemp("exceptions") / "warehouse.duckdb"
    create_raw_tables(path)
    world = World()
    shipment = world.delivery("a")
    tell(world, "open", shipment, "opened")
    tell(world, "waiting", shipment, "opened", "paused")
    tell(world, "over", shipment, "opened", "paused", "resumed", "resolved")
    tell(world, "again", shipment, "opened", "resolved", "reopened")
    tell(world, "unopened", shipment, "resolved")
    tell(world, "elsewhere", "nowhere", "opened")
    tell(world, "old", shipment, "opened", "resolved", since=datetime(2026, 11, 9, 23, 30, tzinfo=UTC))
    tell(world, "just new", shipment, "opened", since=datetime.fromisoformat(GO_LIVE))
    world.shipment("Sorderless", "Ounknown")
    tell(world, "orderless", "Sorderless", "opened")
    world.write(path)
    chosen = (
        "--select",
        "+exception_alert_candidates",
        "--resource-type",
        "model",
        "--resource-type",
        "seed",
    )
    result = run_dbt(path, "build", *chosen, as_of=AS_OF, go_live_at=GO_LIVE)
    assert result.success, result.exception or [
        (each.node.name, each.message) for each in result.result if str(each.status) in ("error", "fail")
    ]
    rows = query(path, "SELECT * FROM candidates.exception_alert_candidates")
    return path, {row["exception_id"]: row for row in rows}


def test_each_exception_of_a_known_shipment_since_go_live_is_told_as_it_stands(
    told: tuple[Path, dict[str, Row]],
) -> None:
    stand = {name: (row["revision"], row["exception_state"]) for name, row in told[1].items()}
    assert stand == {
        "open": (1, "open"), "waiting": (2, "paused"), "over": (4, "resolved"), "again": (3, "open"),
        "just new": (1, "open"), "orderless": (1, "open"),
    }  # fmt: skip


def test_it_says_whom_it_concerns_and_on_which_day_it_was_opened_there(
    told: tuple[Path, dict[str, Row]],
) -> None:
    row, nobodys = told[1]["over"], told[1]["orderless"]
    parties: dict[str, Any] = {
        "order_no": "Oa", "company_id": "WBDE", "customer_id": "C1", "erp_connection": "erp", "order_status": "confirmed",
        "customer_is_active": True,
    }  # fmt: skip
    assert {name: row[name] for name in parties} == parties
    assert str(row["opening_date"]) == "2026-11-13", "half past midnight in Berlin"
    assert (nobodys["company_id"], nobodys["customer_id"], nobodys["erp_connection"]) == (None, None, None)


def test_the_unit_tests_beside_the_models_pass(told: tuple[Path, dict[str, Row]]) -> None:
    models = ("int_exception_states", "exception_alert_candidates")
    chosen = [f"test_type:unit,{each}" for each in models]
    result = run_dbt(told[0], "test", "--select", *chosen, as_of=AS_OF)
    assert result.success, [(each.node.name, each.message) for each in result.result.results]
    assert len(result.result.results) >= len(models)
