"""`waybill reconcile` fails while anything differs, and lets a person accept it with name and reason."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from activation.reconcile import Reconciliation
from cli.main import typer_app
from core.settings import Settings, get_settings
from state import differences, heads
from state.differences import Difference
from state.engine import open_state

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
DIFFERENCE = Difference(
    destination="erp", kind="missing", idempotency_key="k" * 64, erp_id="SINV-1", shipment_no="S-1",
    company="WBDE", currency="EUR", issue_date="2026-11-13", acknowledged_amount=Decimal("12.00"),
    found_amount=None, detail="acknowledged and now not there",
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = Settings(home=tmp_path)
    with open_state(settings).begin() as db:
        differences.record(db, "erp", [DIFFERENCE], NOW)
    monkeypatch.setattr("cli.reconcile.get_settings", lambda: settings)
    get_settings.cache_clear()
    return settings


def found(settings: Settings) -> list[Reconciliation]:
    result = Reconciliation("erp", date(2026, 11, 6))
    line = result.line(date(2026, 11, 13), "WBDE", "EUR")
    line.released, line.acknowledged, line.acknowledged_amount = 1, 1, Decimal("12.00")
    result.differences = [DIFFERENCE]
    result.open = differences.open_of(open_state(settings))
    return [result]


def test_an_open_difference_is_listed_and_fails(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.reconcile._reconcile", found)
    told = CliRunner().invoke(typer_app, ["reconcile", "--json"])
    assert told.exit_code == 1
    (document,) = json.loads(told.stdout)
    assert document["open"] == [DIFFERENCE.difference_id]
    assert document["differences"][0]["acknowledged_amount"] == "12.00"
    assert document["lines"][0]["in_erp"] == 0
    read = CliRunner().invoke(typer_app, ["reconcile"])
    assert DIFFERENCE.difference_id[:12] in read.stdout


def test_a_person_accepts_it_with_name_and_reason(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["reconcile", "--settle", DIFFERENCE.difference_id[:8]]
    assert CliRunner().invoke(typer_app, words).exit_code == 2
    assert CliRunner().invoke(typer_app, [*words, "--actor", "controller-2", "--reason", " "]).exit_code == 2
    assert differences.open_of(open_state(home)) == [DIFFERENCE]
    accepted = CliRunner().invoke(
        typer_app, [*words, "--actor", "controller-2", "--reason", "billed by hand"]
    )
    assert accepted.exit_code == 0
    assert differences.open_of(open_state(home)) == []
    assert differences.why_stopped(open_state(home), "erp") is None
    # What a person did is signed like what a batch did.
    assert heads.read(home.ledger_heads)[-1].sequence > 2
    monkeypatch.setattr("cli.reconcile._reconcile", found)
    assert CliRunner().invoke(typer_app, ["reconcile"]).exit_code == 0
