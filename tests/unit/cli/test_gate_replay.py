"""`waybill gate replay`: what it is asked for, what it prints, and when it fails."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner, Result

from cli.main import typer_app
from core.errors import PermanentFailure, WaybillError
from core.settings import Settings
from state import decisions
from state.decisions import Decision
from state.engine import open_state

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)


class Given:
    """A line of no rows for each decision."""

    def lines(self, decisions: Sequence[Decision]) -> Iterator[str]:
        return (
            json.dumps({"decision_id": each.decision_id, "not_run": "broken", "rows": []})
            for each in decisions
        )


@pytest.fixture(autouse=True)
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    settings = Settings(home=tmp_path)
    monkeypatch.setattr("cli.replays.get_settings", lambda: settings)
    made = open_state(settings)
    yield made
    made.dispose()


def held(shipment: str) -> Decision:
    return Decision(
        decision_id=f"d-{shipment}", business_id=f"b-{shipment}", revision=1, company_id="WBDE", order_no="O1",
        shipment_no=shipment, customer_id="C1", verdict="blocked", codes=("CHECK_NOT_RUN",), warnings=(), reasons=[],
        input_hash="i1", content_hash="c1", ruleset_version="r1", policy_version="p1", as_of=NOW, decided_at=NOW,
        amount=None, currency=None, run_id="run", is_first_evaluation=True,
    )  # fmt: skip


def call(*arguments: str) -> Result:
    return CliRunner().invoke(typer_app, ["gate", "replay", *arguments])


@pytest.mark.parametrize("arguments", [(), ("S1", "--all"), ("--all", "--day", "2026-11-13")])
def test_one_thing_is_asked_for(arguments: tuple[str, ...]) -> None:
    assert call(*arguments).exit_code == 2


def test_nothing_to_evaluate_is_told() -> None:
    assert isinstance(call("--all").exception, WaybillError)


def test_what_cannot_be_evaluated_is_told_and_is_no_failure(engine: Engine) -> None:
    decisions.record(engine, [held("S1")])
    decisions.record(engine, [held("S2")], Given())
    told = call("--day", "2026-11-13")
    assert told.exit_code == 0
    assert "1 were made before inputs were kept" in told.stdout
    assert "1 were made while a check could not run" in told.stdout
    assert json.loads(call("S2", "--json").stdout)["counts"] == {"unrepeatable": 1}


def test_inputs_that_are_gone_fail_and_name_the_shipment(engine: Engine) -> None:
    decisions.record(engine, [held("S1")], Given())
    with engine.begin() as db:
        db.execute(text("DROP TRIGGER gate_inputs_no_delete"))
        db.execute(text("DELETE FROM gate_inputs"))
    told = call("--all", "--json")
    assert isinstance(told.exception, PermanentFailure)
    document = json.loads(told.stdout)
    assert document["counts"] == {"lost": 1}
    assert "is gone" in document["decisions"][0]["why"] and document["decisions"][0]["shipment"] == "S1"
