"""`waybill push` on a terminal: before the first run it says so; what it found, and exit 1 when any is not posted."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from activation.dry_run import Intent
from activation.result import PushResult
from cli.main import typer_app
from core.errors import WaybillError
from core.settings import ROOT, Settings


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, connections=ROOT / "connections" / "sandbox")
    monkeypatch.setattr("cli.push.get_settings", lambda: settings)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(typer_app, ["push", *arguments])


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
def test_before_the_first_run_it_says_what_to_do(arguments: tuple[str, ...]) -> None:
    refused = call(*arguments)
    assert isinstance(refused.exception, WaybillError)
    assert "waybill run" in refused.exception.remedy


def test_a_dry_run_shows_what_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    intents = [
        Intent("erp", "S-1", "k1", "create", "the ERP has nothing under its key", Decimal("12.00"), "EUR"),
        Intent(
            "erp", "S-2", "k2", "skip", "posted, and equal", Decimal("13.00"), "EUR", ("SINV-1 (posted)",)
        ),
    ]
    monkeypatch.setattr("orchestration.push_assets.outbound_rows", lambda _platform: [{}, {}])
    monkeypatch.setattr("activation.dry_run.dry_run", lambda *_: iter(intents))
    shown = call("--dry-run").stdout
    assert "S-1" in shown
    assert "S-2" not in shown
    assert [each["action"] for each in json.loads(call("--dry-run", "--json").stdout)] == ["create", "skip"]


@pytest.mark.parametrize(("failed", "exit_code"), [(0, 0), (1, 1)])
def test_it_fails_when_an_invoice_is_not_posted(
    monkeypatch: pytest.MonkeyPatch, failed: int, exit_code: int
) -> None:
    asked: list[Any] = []

    def released(_platform: Any, limit: int | None) -> PushResult:
        asked.append(limit)
        return PushResult(
            candidates=2, posted=2 - failed, failed=failed, amount_by_currency={"EUR": Decimal(25)}
        )

    monkeypatch.setattr("orchestration.push_assets.push_released", released)
    result = call("--limit", "2")
    assert (result.exit_code, asked) == (exit_code, [2])
    assert "posted 25 EUR" in result.stdout
