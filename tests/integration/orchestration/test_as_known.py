"""Last week's question gets last week's answer again, whatever has come in since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from core.settings import Settings
from orchestration.dbt_assets import run_variables
from orchestration.dbt_runner import rebuild
from orchestration.known import cut, marts_as_known
from orchestration.platform import Platform
from state import observations
from state.engine import open_state
from tests.support.deliveries import DELIVERED, World, moved, order_line
from tests.support.warehouse import VERSION, append, create_raw_tables, insert_rows, query

CLOCK = datetime(2026, 11, 12, 12, tzinfo=UTC)
"""What the sources' clock showed ..."""
MACHINE = datetime(2026, 12, 1, 8, tzinfo=UTC)
"""... when ours showed this."""
FIRST, SECOND = CLOCK + timedelta(hours=1), CLOCK + timedelta(hours=6)
KNOWN_AT = MACHINE + timedelta(hours=1)
LATE = MACHINE + timedelta(hours=2)
CANONICAL = ("canonical_orders", "canonical_order_lines", "canonical_shipments", "canonical_proofs_of_delivery",
             "canonical_delivery_events", "canonical_invoices", "canonical_receipts")  # fmt: skip
MARTS = ("fct_shipments", "fct_invoices", "fct_invoice_pushes", "kpi_facts", "kpi_values")
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = open_state(settings)
    observations.record(engine, "erp", "erp", True, MACHINE, CLOCK)
    yield engine
    engine.dispose()


def _effect(key: str, **changes: Any) -> dict[str, Any]:
    same = {"company": "WBDE", "destination": "erp", "operation": "invoice", "business_id": key, "revision": 1,
            "shipment_no": "S1", "decision_id": "D1", "payload_hash": "p", "content_hash": "c", "input_hash": "i",
            "amount": Decimal(119), "currency": "EUR", "fencing_token": 1, "attempt_count": 1}  # fmt: skip
    return {
        **same,
        "outbox_id": 1,
        "idempotency_key": key,
        "may_exist": True,
        "enqueued_at": MACHINE,
        **changes,
    }


def _read(path: Path, schema: str, tables: tuple[str, ...]) -> Rows:
    return {each: query(path, f"SELECT * FROM {schema}.{each} ORDER BY ALL") for each in tables}


def _tell(path: Path, world: World, ingested_at: datetime) -> None:
    for (kind, resource), rows in world.rows.items():
        insert_rows(path, kind, resource, [{"ingested_at": ingested_at} | row for row in rows])


def _first_messages() -> World:
    world = World()
    for number in (1, 2, 3):
        world.delivery(number)
    world.invoice("INV1", order_id="O1", shipment_id="S1", idempotency_key="K1")
    world.invoice("INV2", order_id="O2", shipment_id="S2")
    world.add("wms", "delivery_events", event_id="E1", consignment_id="S1", occurred_at=DELIVERED)
    return world


def _late_messages() -> World:
    """Corrections of all that was said: they happened before the first question, and came after it."""
    world, newer = World(), VERSION + timedelta(hours=1)
    world.rows.clear()
    world.order("O1", order_line("O1-1", "7"), source_version=newer)
    world.order("O2", status="cancelled", source_version=newer)
    world.proof("P1b", "S1", moved("O1-1", "4"), order_id="O1", outcome="partiallySucceeded",
                supersedes_id="P1")  # fmt: skip
    world.proof("P3", "S3", order_id="O3", voided_at=DELIVERED, source_version=newer)
    world.invoice("INV2", order_id="O2", shipment_id="S2", status="cancelled", source_version=newer)
    world.delivery(4)
    world.add("wms", "delivery_events", event_id="E1", consignment_id="S1", occurred_at=DELIVERED,
              error_declared_at=DELIVERED, source_version=newer)  # fmt: skip
    return world


def _build(settings: Settings, as_of: datetime) -> None:
    failed = rebuild(
        settings, run_variables(Platform(settings)) | {"as_of": as_of.isoformat(), "builds_on": None}
    )
    assert not failed, [(each.unique_id, each.message) for each in failed]


def test_the_same_question_about_an_instant_has_the_same_answer_later(
    settings: Settings, engine: Engine
) -> None:
    create_raw_tables(settings.warehouse)
    _tell(settings.warehouse, _first_messages(), MACHINE)
    _build(settings, FIRST)
    canonical = _read(settings.warehouse, "canonical", CANONICAL)
    marts = _read(settings.warehouse, "marts", MARTS)

    _tell(settings.warehouse, _late_messages(), LATE)
    append(
        settings.warehouse,
        "raw_ledger",
        "outbox",
        [_effect("K1", state="ACKED", enqueued_at=LATE, updated_at=LATE)],
    )
    _build(settings, SECOND)
    for table, rows in _read(settings.warehouse, "canonical", CANONICAL[:-1]).items():
        assert rows != canonical[table], f"{table} did not change: the test would prove nothing of it"

    then = marts_as_known(settings, FIRST)
    assert _read(then.warehouse, "canonical", CANONICAL) == canonical
    assert _read(then.serving, "main", MARTS) == marts


def test_what_came_in_at_the_instant_is_known_and_what_came_just_after_is_not(
    settings: Settings, engine: Engine
) -> None:
    just_after = KNOWN_AT + timedelta(microseconds=1)
    create_raw_tables(settings.warehouse)
    for number, came in enumerate((KNOWN_AT, just_after)):
        insert_rows(settings.warehouse, "erp", "tax_codes", [
            {"tax_code": f"T{number}", "rate_percent": Decimal(19), "ingested_at": came}])  # fmt: skip
    then = Settings(home=settings.root / "then")
    cut(settings, then, FIRST, observations.machine_time(engine, FIRST))
    assert query(then.warehouse, "SELECT tax_code FROM raw_erp.tax_codes") == [{"tax_code": "T0"}]


def test_an_effect_says_what_it_said_then(settings: Settings, engine: Engine) -> None:
    """One was read back by then and touched later, one was under way, one had not begun."""
    create_raw_tables(settings.warehouse)
    append(settings.warehouse, "raw_ledger", "outbox", [
        _effect("K1", state="ACKED", updated_at=LATE), _effect("K2", state="ACKED", updated_at=LATE),
        _effect("K3", state="ACKED", updated_at=LATE, enqueued_at=LATE),
        _effect("K4", state="HELD", updated_at=KNOWN_AT)])  # fmt: skip
    append(settings.warehouse, "raw_ledger", "receipts", [
        {"idempotency_key": "K1", "read_back_at": MACHINE}, {"idempotency_key": "K2", "read_back_at": LATE}])  # fmt: skip
    append(settings.warehouse, "raw_ledger", "push_attempts", [
        {"idempotency_key": "K2", "attempt_no": 1, "started_at": MACHINE, "ended_at": LATE, "outcome": "posted"}])  # fmt: skip
    then = Settings(home=settings.root / "then")
    cut(settings, then, FIRST, KNOWN_AT)
    states = query(then.warehouse, "SELECT idempotency_key AS k, state FROM raw_ledger.outbox ORDER BY k")
    assert [(each["k"], each["state"]) for each in states] == [
        ("K1", "ACKED"),
        ("K2", "READY"),
        ("K4", "HELD"),
    ]
    assert query(then.warehouse, "SELECT outcome, ended_at FROM raw_ledger.push_attempts") == [
        {"outcome": None, "ended_at": None}
    ]


def test_a_dead_letter_that_was_decided_later_is_open_then(settings: Settings, engine: Engine) -> None:
    create_raw_tables(settings.warehouse)
    append(settings.warehouse, "raw_ledger", "dead_letters", [
        {"dead_letter_id": name, "connection": "erp", "kind": "erp", "resource": "orders", "reason": "CYCLE", "detail": "d",
         "raw_sha256": "r", "trace_id": "t", "run_id": "r", "status": status, "received_at": CLOCK, "decided_at": decided}
        for name, status, decided in (
            ("before", "replayed", KNOWN_AT), ("after", "discarded", KNOWN_AT + timedelta(microseconds=1)), ("closed", "resolved", None)
        )])  # fmt: skip
    then = Settings(home=settings.root / "then")
    cut(settings, then, FIRST, observations.machine_time(engine, FIRST))
    found = query(then.warehouse, "SELECT dead_letter_id, status FROM raw_ledger.dead_letters")
    assert {row["dead_letter_id"]: row["status"] for row in found} == {
        "before": "replayed", "after": "open", "closed": "resolved",
    }  # fmt: skip
