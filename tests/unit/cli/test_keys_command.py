"""``waybill keys`` shows a key once, and a webhook secret never."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import typer_app
from core.settings import get_settings

SECRET = "canary-of-a-secret"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WAYBILL_HOME", str(tmp_path))
    monkeypatch.setenv("WAYBILL_SECRETS_KEY", base64.b64encode(b"k" * 32).decode())
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def run(*arguments: str, stdin: str = "") -> str:
    result = CliRunner().invoke(typer_app, ["keys", *arguments], input=stdin)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def test_a_key_is_shown_once_and_ends_when_revoked(home: Path) -> None:
    made = json.loads(run("create", "sandbox_pod", "--scope", "proofs:write", "--actor", "admin", "--json"))
    assert made["token"].startswith("wbk_")
    listed = run("list", "--json")
    assert made["token"] not in listed and json.loads(listed)[0]["state"] == "live"
    run("revoke", made["key"], "--reason", "lost", "--actor", "admin")
    assert json.loads(run("list", "--json"))[0]["state"] == "revoked"


def test_a_secret_comes_by_stdin_and_is_never_shown(home: Path) -> None:
    said = run("secret-add", "sandbox_pod", "onfleet", "--actor", "admin", stdin=f"{SECRET}\n")
    assert "/v1/webhooks/onfleet/sandbox_pod" in said
    assert SECRET not in said + run("secrets") + run("secrets", "--json")
    (kept,) = json.loads(run("secrets", "--json"))
    run("secret-revoke", kept["secret"], "--reason", "rotated", "--actor", "admin")


@pytest.mark.parametrize(
    "arguments",
    [("create", "nobody", "--scope", "kpis:read"), ("create", "sandbox_pod", "--scope", "all"), ("create", "sandbox_pod"),
     ("secret-add", "sandbox_pod", "unheard-of")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(typer_app, ["keys", *arguments]).exit_code != 0
