"""`waybill gate rules`, `propose-rules`, `approve-rules` and `reject-rules`: a change of rules on a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from cli.main import typer_app
from core.errors import ConfigurationError, PermanentFailure
from core.settings import Settings
from quality.gate import approved_policy
from quality.policy import DEFAULT, load_policy
from quality.rules import ruleset, ruleset_version
from state import rulesets
from state.engine import open_state
from state.rulesets import Ruleset
from state.tables_of_people import rulesets as table

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
Edit = Callable[[str, str], str]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = Settings(home=tmp_path / "home")
    monkeypatch.setattr("cli.rulesets.get_settings", lambda: made)
    return made


@pytest.fixture
def edit(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Edit:
    """Somebody edits the policy file; the version of the rules after that."""
    approved_policy(open_state(settings))

    def change(old: str, new: str) -> str:
        path = tmp_path / "policy.yaml"
        path.write_text(DEFAULT.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        changed = load_policy(path)
        for where in ("quality.policy.load_policy", "quality.gate.load_policy"):
            monkeypatch.setattr(where, lambda: changed)
        return ruleset_version(changed)

    return change


def call(*arguments: str) -> Result:
    return CliRunner().invoke(typer_app, ["gate", *arguments])


def said(name: str, *arguments: str) -> tuple[str, ...]:
    return (*arguments, "--actor", name, "--reason", "because")


def shown() -> dict[str, Any]:
    told: list[dict[str, Any]] = json.loads(call("rules", "--json").stdout)
    return {each["gate"]: each for each in told}


def test_a_new_store_says_that_it_takes_the_release_s(settings: Settings) -> None:
    told = call("rules").stdout
    assert "none yet" in told
    assert "NOT APPROVED" not in told
    approved_policy(open_state(settings))
    assert "taken by a store without rules" in call("rules").stdout
    assert shown()["flows"]["is_approved"]


def test_what_changed_is_shown_proposed_and_approved_by_another(settings: Settings, edit: Edit) -> None:
    version = edit('price_percent: "0.5"', 'price_percent: "1.0"')
    told = call("rules").stdout
    assert "tolerances.price_percent: 0.5 → 1.0" in told
    assert "NOT APPROVED" in told
    assert "propose-rules --reason TEXT" in told
    assert f"approve-rules {version[:12]}" in call(*said("anna", "propose-rules")).stdout
    told = call("rules").stdout
    assert f"somebody else: waybill gate approve-rules {version[:12]} --reason TEXT" in told
    assert "proposed by anna: because" in told
    own = call(*said("anna", "approve-rules", version[:12]))
    assert isinstance(own.exception, PermanentFailure)
    given = call(*said("boris", "approve-rules", version[:12], "--json"))
    assert json.loads(given.stdout)["answer"] == "granted"
    assert approved_policy(open_state(settings)).tolerances.price_percent == 1
    state = shown()["flows"]
    assert (state["is_approved"], state["changes"], state["waiting"]) == (True, [], None)
    assert state["in_force"]["told"].startswith("boris, proposed by anna")


def test_a_file_that_changed_after_the_proposal_is_not_approved_with_it(
    settings: Settings, edit: Edit
) -> None:
    version = edit("pod_future_s: 300", "pod_future_s: 400")
    call(*said("anna", "propose-rules"))
    edit("pod_future_s: 300", "pod_future_s: 4000")
    told = call("rules").stdout
    assert "these files are not what was proposed" in told
    assert "  proposed  tolerances.pod_future_s: 300 → 400" in told
    assert "  changed   tolerances.pod_future_s: 300 → 4000" in told
    refused = call(*said("boris", "approve-rules", version[:12]))
    assert isinstance(refused.exception, PermanentFailure)
    assert "tolerances.pod_future_s: 400 → 4000" in refused.exception.message
    with pytest.raises(ConfigurationError):
        approved_policy(open_state(settings))


def test_rules_that_were_written_past_the_commands_are_told(settings: Settings) -> None:
    engine = open_state(settings)
    approved_policy(engine)
    assert "WARNING" not in call("rules").stdout
    own = ruleset(load_policy())
    with engine.begin() as db:
        rulesets._insert(db, Ruleset(own.gate, "p", b"{}"), "anna", "past the ledger", NOW, {})
        same = update(table).where(table.c.answer.is_(None))
        given = {"answer": "granted", "answered_by": "boris", "answered_because": "a", "answered_at": NOW}
        db.execute(same.values(**given, answered_for=table.c.ruleset_version))
    assert "WARNING   the ledger does not know" in call("rules").stdout
    assert not shown()["flows"]["is_in_ledger"]


def test_another_may_reject(settings: Settings, edit: Edit) -> None:
    version = edit("pod_future_s: 300", "pod_future_s: 400")
    call(*said("anna", "propose-rules"))
    assert "rejected by boris" in call(*said("boris", "reject-rules", version[:12])).stdout
    with pytest.raises(ConfigurationError):
        approved_policy(open_state(settings))


def test_what_did_not_change_is_not_proposed(edit: Edit) -> None:
    edit("# Above this a second person", "# Over this a second person")
    refused = call(*said("anna", "propose-rules"))
    assert isinstance(refused.exception, PermanentFailure)
    assert "nothing to propose" in refused.exception.message


@pytest.mark.parametrize(
    "arguments", [("propose-rules",), ("approve-rules", "0" * 12), ("reject-rules", "0" * 12)]
)
@pytest.mark.parametrize(
    "said_of", [("--actor", "anna"), ("--actor", " ", "--reason", "a"), ("--reason", " ")]
)
def test_without_name_or_reason_it_is_wrong_usage(
    edit: Edit, arguments: tuple[str, ...], said_of: tuple[str, ...]
) -> None:
    assert call(*arguments, *said_of).exit_code == 2
