"""`waybill gate ask`, `approve`, `reject` and `approvals`: four eyes on a terminal."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import typer_app
from core.errors import PermanentFailure, WaybillError
from core.settings import Settings
from state import decisions
from state.decisions import Decision
from state.engine import open_state

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path)
    for module in ("approvals", "gate"):
        monkeypatch.setattr(f"cli.{module}.get_settings", lambda: settings)
    held = Decision(
        decision_id="d1", business_id="b-1", revision=1, company_id="WBDE", order_no="O1", shipment_no="S1",
        customer_id="C1", verdict="blocked", codes=("VALUE_OVER_LIMIT",), warnings=(),
        reasons=[
            {"code": "VALUE_OVER_LIMIT", "disposition": "APPROVAL", "seen": "300000.00 EUR", "expected": "at most 250000",
             "remedy": "Approve it.", "owner": "finance-controlling"}
        ], input_hash="i1", content_hash="c1",
        ruleset_version="r1", policy_version="p1", as_of=NOW, decided_at=NOW, amount=Decimal("300000.00"),
        currency="EUR", run_id="run", is_first_evaluation=True,
    )  # fmt: skip
    decisions.record(open_state(settings), [held])


def call(*arguments: str) -> Result:
    return CliRunner().invoke(typer_app, ["gate", *arguments])


def test_one_asks_another_sees_it_and_approves() -> None:
    assert "waits for somebody else" in call("ask", "S1", "--actor", "anna", "--reason", "agreed").stdout
    assert "300000.00" in call("approvals").stdout
    own = call("approve", "S1", "--actor", "anna", "--reason", "seen")
    assert isinstance(own.exception, PermanentFailure)
    given = call("approve", "b-1", "--actor", "boris", "--reason", "seen", "--json")
    assert json.loads(given.stdout)["answer"] == "granted"
    assert json.loads(call("approvals", "--json").stdout) == []


def test_another_may_reject() -> None:
    call("ask", "S1", "--actor", "anna", "--reason", "agreed")
    assert "rejected by boris" in call("reject", "S1", "--actor", "boris", "--reason", "no contract").stdout


def test_an_unknown_shipment_is_told_with_what_to_do() -> None:
    refused = call("ask", "S9", "--actor", "anna", "--reason", "agreed")
    assert isinstance(refused.exception, WaybillError)
    assert "'S9'" in refused.exception.message


def test_an_unknown_key_has_no_explanation_and_one_that_is_known_has() -> None:
    refused = call("explain", "S9").exception
    assert isinstance(refused, WaybillError)
    assert "'S9'" in refused.message and "waybill query" in refused.remedy
    assert "Shipment S1, order O1: BLOCKED" in call("explain", "S1").stdout


@pytest.mark.parametrize(
    "arguments", [("--actor", "anna"), ("--actor", " ", "--reason", "a"), ("--reason", " ")]
)
def test_without_name_or_reason_it_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert call("ask", "S1", *arguments).exit_code == 2
