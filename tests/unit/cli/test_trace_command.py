"""`waybill trace` tells a shipment's way in the order in which it went, and nothing of another shipment."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from cli import trace as command
from cli.main import typer_app
from core.errors import WaybillError
from core.settings import Settings
from state import decisions, inbox
from state.decisions import Decision
from state.engine import open_state
from state.inbox import Incoming, Settled
from tests.support.approved_rules import let_in

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
DECISION = Decision(
    decision_id="d1", business_id="b1", revision=1, company_id="WBDE", order_no="SO-1", shipment_no="CN-1",
    customer_id="C", verdict="blocked", codes=("POD_MISSING",), warnings=(), reasons=[], input_hash="i", content_hash="c",
    ruleset_version="r", policy_version="p", as_of=NOW, decided_at=NOW + timedelta(seconds=3), amount=Decimal(1),
    currency="EUR", run_id="run", is_first_evaluation=True,
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = Settings(home=tmp_path)
    monkeypatch.setattr(command, "get_settings", lambda: settings)
    engine = open_state(settings)
    for number, shipment in enumerate(("CN-1", "CN-10"), 1):
        message = Incoming(
            "pod", f"e{number}", "api", "proof_of_delivery", "application/json", b"{}", "t", NOW
        )
        inbox.accept(engine, [message])
        settled = Settled(number, 1, 1, 0, 0, 0, (shipment,))
        inbox.settle(engine, "run", [settled], NOW + timedelta(seconds=1))
    let_in(engine, DECISION.ruleset_version)
    decisions.record(
        engine, [DECISION, replace(DECISION, decision_id="d2", business_id="b2", shipment_no="CN-10")]
    )
    return settings


def noted(shipment: str) -> list[str]:
    done = CliRunner().invoke(typer_app, ["trace", shipment, "--json"])
    assert done.exit_code == 0, done.output
    return [each["what"] for each in json.loads(done.stdout)["noted"]]


@pytest.mark.parametrize("shipment", ["CN-1", "CN-10"])
def test_a_way_is_told_in_its_order(home: Settings, shipment: str) -> None:
    assert noted(shipment) == ["message received", "message loaded", "gate: blocked"]


def test_it_reads_as_a_table(home: Settings) -> None:
    done = CliRunner().invoke(typer_app, ["trace", "CN-1"])
    assert "POD_MISSING" in done.stdout and "message received" in done.stdout


@pytest.fixture
def published(home: Settings) -> Settings:
    """CN-1 was billed by hand and had a case; CN-10, beside it, had neither."""
    home.serving.parent.mkdir(parents=True)
    dates = ", ".join(
        f"NULL::TIMESTAMPTZ AS {column}" for column in command._PUBLISHED if column != "departed_at"
    )
    with duckdb.connect(str(home.serving)) as marts:
        marts.execute("SET TimeZone = 'UTC'")
        marts.execute(
            f"CREATE TABLE fct_shipments AS SELECT shipment_no, departed_at, {dates}, first_invoice_posted_at, "
            "first_invoice_id, made_by FROM (VALUES "
            "('CN-1', TIMESTAMPTZ '2026-11-10 08:00:00+00', TIMESTAMPTZ '2026-11-13 16:00:00+00', 'SINV-7', 'hand'), "
            "('CN-10', TIMESTAMPTZ '2026-11-10 09:00:00+00', NULL, NULL, NULL)"
            ") AS t(shipment_no, departed_at, first_invoice_posted_at, first_invoice_id, made_by)"
        )
        marts.execute(
            "CREATE TABLE fct_exceptions AS SELECT 'CN-1' AS shipment_no, TIMESTAMPTZ '2026-11-11 08:00:00+00' "
            "AS opened_at, NULL::TIMESTAMPTZ AS resolved_at, 'high' AS severity, 'DAMAGED' AS code"
        )
    return home


def test_what_its_sources_say_has_cases_and_invoices_made_by_hand(published: Settings) -> None:
    done = CliRunner().invoke(typer_app, ["trace", "CN-1", "--json"])
    assert [(each["what"], each["detail"]) for each in json.loads(done.stdout)["published"]] == [
        ("departed", None),
        ("exception opened", "high DAMAGED"),
        ("invoiced", "SINV-7, made by hand"),
    ]


def test_another_shipment_has_neither(published: Settings) -> None:
    done = CliRunner().invoke(typer_app, ["trace", "CN-10", "--json"])
    assert [each["what"] for each in json.loads(done.stdout)["published"]] == ["departed"]


@pytest.mark.parametrize("shipment", ["CN", "CN-2", "%", "CN-1%"])
def test_what_nobody_knows_is_an_error(home: Settings, shipment: str) -> None:
    done = CliRunner().invoke(typer_app, ["trace", shipment])
    assert isinstance(done.exception, WaybillError)
