"""The gate's context and the projected ledger say the same, whichever database the state lies in."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from core.connections import load_connections
from core.settings import ROOT, Settings
from ingestion.ledger import project_gate, project_ledger
from quality.state_view import read_context
from state import decisions, observations, outbox
from state.decisions import Decision
from state.engine import open_state
from state.outbox_rows import NewEffect
from tests.support.approved_rules import NOTHING, let_in

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
HELD = Decision(
    decision_id="d1", business_id="b-1", revision=1, company_id="WBDE", order_no="O1", shipment_no="S1",
    customer_id="C1", verdict="released", codes=(), warnings=("CREDIT_LIMIT_EXCEEDED",), reasons=[], input_hash="i1",
    content_hash="c1", ruleset_version=NOTHING, policy_version="p1", as_of=NOW, decided_at=NOW,
    amount=Decimal("300000.00"), currency="EUR", run_id="run", is_first_evaluation=True,
)  # fmt: skip
EFFECT = NewEffect(
    company="WBDE", destination="erp", operation="invoice", business_id="b-1", revision=1, shipment_no="S1",
    decision_id="d1", payload=b"{}", payload_hash="p", content_hash="c1", input_hash="i1",
    amount=Decimal("1.10"), currency="EUR", charge_keys=("S1|1",),
)  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path, state_url: SecretStr | None) -> Settings:
    return Settings(home=tmp_path, state_url=state_url, connections=ROOT / "connections" / "sandbox")


@pytest.fixture
def engine(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("SANDBOX_DROP", str(settings.root / "drop"))
    engine = open_state(settings)
    let_in(engine, HELD.ruleset_version)
    decisions.record(engine, [HELD])
    observations.record(engine, "sandbox_erp", "erp", True, NOW, NOW)
    with engine.begin() as db:
        outbox.enqueue(db, EFFECT, NOW)
    return engine


def test_the_ledger_is_projected(settings: Settings, engine: Engine) -> None:
    assert project_gate(settings, engine) == {"decisions": 1}
    told = project_ledger(settings, engine)
    assert {name: told[name] for name in ("outbox", "entries", "observations", "receipts")} == {
        "outbox": 1,
        "entries": 1,
        "observations": 1,
        "receipts": 0,
    }
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        row = warehouse.execute("SELECT amount, may_exist, enqueued_at = ? FROM raw_ledger.outbox", [NOW])
        assert row.fetchone() == (Decimal("1.1000"), False, True)


def test_the_gate_reads_its_context(settings: Settings, engine: Engine) -> None:
    with duckdb.connect() as warehouse:
        for statement in (
            "CREATE SCHEMA candidates; CREATE SCHEMA canonical",
            "CREATE TABLE candidates.invoice_candidates (business_id VARCHAR, shipment_no VARCHAR, pod_id VARCHAR)",
            "CREATE TABLE canonical.canonical_shipments (source_id VARCHAR, source_system VARCHAR)",
            "CREATE TABLE canonical.canonical_proofs_of_delivery (source_id VARCHAR, source_system VARCHAR)",
        ):
            warehouse.execute(statement)
        context = read_context(engine, load_connections(settings.connections_dir), warehouse)
    assert "READY" in repr(context)
