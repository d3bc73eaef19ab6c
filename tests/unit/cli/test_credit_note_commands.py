"""`waybill outbox credit`, `approve-credit`, `reject-credit` and `credits` on a terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from activation import corrections
from cli.main import typer_app
from core.settings import ROOT, Settings
from state import credit_notes
from state.credit_notes import CreditNote
from state.engine import open_state
from tests.support.credit_documents import draft_of, note, post

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
MADE = CreditNote(
    "k" * 64, "i" * 64, "S-1", "SINV-1", Decimal("-12.00"), "EUR", b"{}", "p" * 64, "asked", "", "anna",
    "wrong price", NOW, 1, None, None, None, None,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, connections=ROOT / "connections" / "sandbox")
    monkeypatch.setattr("cli.credit_notes.get_settings", lambda: settings)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(typer_app, ["outbox", *arguments])


def test_a_draft_says_what_it_reverses_and_that_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(corrections, "ask", lambda *told: asked.append(told[1:4]) or MADE)
    arguments = ("credit", "S-1", "--actor", " anna ", "--reason", "wrong price")
    shown = " ".join(call(*arguments).stdout.split())
    assert "-12.00 EUR against SINV-1 waits for somebody else" in shown
    assert asked == [("S-1", "anna", "wrong price")]
    document = json.loads(call(*arguments, "--json").stdout)
    assert (document["cause"], "payload" in document) == ("asked", False)


@pytest.mark.parametrize(("command", "given"), [("approve-credit", "granted"), ("reject-credit", "rejected")])
def test_an_answer_is_given_under_a_name_and_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, command: str, given: str
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(credit_notes, "named", lambda *_: replace(MADE, idempotency_key="S-1"))
    monkeypatch.setattr(credit_notes, "refuse_blocked", lambda *_: None)
    monkeypatch.setattr(credit_notes, "answer", lambda *said: told.append(said[1:5]) or MADE)
    assert call(command, "S-1", "--actor", "boris", "--reason", "seen").exit_code == 0
    assert told == [("S-1", given, "boris", "seen")]
    assert call(command, "S-1", "--actor", "boris", "--reason", " ").exit_code == 2


def test_nothing_waits_at_first() -> None:
    assert "No credit note waits" in call("credits").stdout
    assert json.loads(call("credits", "--json").stdout) == []


def test_what_waits_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credit_notes, "waiting", lambda _engine: [MADE])
    assert json.loads(call("credits", "--json").stdout)[0]["drafted_by"] == "anna"


def test_the_list_and_the_explanation_say_what_the_gate_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, connections=ROOT / "connections" / "sandbox")
    monkeypatch.setattr("cli.gate.get_settings", lambda: settings)
    engine = open_state(settings)
    post(engine)
    credit_notes.draft(engine, draft_of(note(currency="CHF")))
    assert json.loads(call("credits", "--json").stdout)[0]["codes"] == ["TAX_OR_CURRENCY_DIFFERS"]
    shown = CliRunner().invoke(typer_app, ["gate", "explain", "S-1"])
    assert shown.exit_code == 0
    for told in (
        "BLOCKED before its draft",
        "seen      CHF against EUR",
        "Evaluated again by today's rules: equal",
    ):
        assert told in shown.stdout
    assert CliRunner().invoke(typer_app, ["gate", "explain", "S-2"]).exit_code == 1
