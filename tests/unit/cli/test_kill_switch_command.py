"""`waybill kill-switch` pulls, shows and releases, and refuses what names nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import typer_app
from core.errors import ConfigurationError, PermanentFailure
from core.settings import ROOT, Settings


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, connections=ROOT / "connections" / "sandbox")
    monkeypatch.setattr("cli.kill_switch.get_settings", lambda: settings)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(typer_app, ["kill-switch", *arguments])


def test_pulled_by_one_and_released_by_two() -> None:
    pulled = call("pull", "--actor", "anna", "--reason", "wrong prices", "--json")
    assert json.loads(pulled.stdout)["scope"] == "global"
    assert "wrong prices" in call("status").stdout
    asked = call("release", "--actor", "anna", "--reason", "mended", "--json")
    assert json.loads(asked.stdout)["released"] is False
    assert isinstance(call("release", "--actor", "anna", "--reason", "mended").exception, PermanentFailure)
    assert "Released" in call("release", "--actor", "boris", "--reason", "seen").stdout
    assert json.loads(call("status", "--json").stdout) == []


def test_a_destination_that_nobody_has_is_refused_with_those_that_are() -> None:
    refused = call("pull", "--destination", "sap", "--actor", "anna", "--reason", "wrong prices")
    assert isinstance(refused.exception, ConfigurationError)
    assert "sandbox_erp" in refused.exception.remedy
    assert call("pull", "--destination", "sandbox_erp", "--actor", "anna", "--reason", "x").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("pull", "--actor", "anna"),
        ("pull", "--actor", "anna", "--reason", "  "),
        ("pull", "--actor", " ", "--reason", "wrong prices"),
        ("pull", "--actor", "a", "--reason", "b", "--destination", "sandbox_erp", "--company", "WBDE"),
    ],
)
def test_without_name_or_reason_or_with_two_scopes_it_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert call(*arguments).exit_code == 2
