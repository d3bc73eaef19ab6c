"""`waybill outbox propose`, `confirm` and `proposals` on a terminal; what they decide is tested on a real ERP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from activation import operators
from cli.main import typer_app
from core.errors import PermanentFailure
from core.settings import ROOT, Settings
from state.proposals import Proposal

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
MADE = Proposal(
    1, "k" * 64, "S-1", "HELD", "UNKNOWN",
    [{"erp_id": "SINV-1", "status": "posted", "currency": "EUR", "grand_total": "12.00"}],
    "anna", "mended", NOW, None, None, None,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, connections=ROOT / "connections" / "sandbox")
    monkeypatch.setattr("cli.proposals.get_settings", lambda: settings)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(typer_app, ["outbox", *arguments])


def test_a_proposal_shows_what_the_erp_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(operators, "propose", lambda *told: asked.append(told[2:]) or MADE)
    shown = call("propose", "S-1", "--to", "look-up", "--actor", " anna ", "--reason", "mended").stdout
    assert "SINV-1" in shown
    assert "HELD → UNKNOWN" in shown
    assert asked == [("S-1", "look-up", "anna", "mended")]
    document = call("propose", "S-1", "--to", "look-up", "--actor", "anna", "--reason", "mended", "--json")
    assert json.loads(document.stdout)["found"] == MADE.found


@pytest.mark.parametrize(
    "arguments",
    [
        ("propose", "S-1", "--to", "forget", "--actor", "anna", "--reason", "a"),
        ("propose", "S-1", "--to", "retry", "--actor", "anna"),
        ("propose", "S-1", "--to", "retry", "--actor", "anna", "--reason", " "),
        ("confirm", "S-1", "--actor", " ", "--reason", "a"),
    ],
)
def test_without_a_target_a_name_or_a_reason_it_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert call(*arguments).exit_code == 2


@pytest.mark.parametrize("command", [("propose", "S-1", "--to", "retry"), ("confirm", "S-1")])
def test_an_unknown_key_is_told_with_what_lists_the_known(command: tuple[str, ...]) -> None:
    refused = call(*command, "--actor", "anna", "--reason", "mended").exception
    assert isinstance(refused, PermanentFailure)
    assert "'S-1'" in refused.message and "waybill outbox list" in refused.remedy


def test_nothing_is_proposed_at_first() -> None:
    assert json.loads(call("proposals", "--json").stdout) == []
