"""Inputs are kept with their decision or not at all, once, for ever, and are found by it; on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from core.settings import Settings
from state import backup, decisions, gate_inputs, ledger
from state.decisions import Decision
from state.engine import open_state
from state.restore import restore
from tests.support.approved_rules import let_in

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)


class Given:
    """One line for each decision."""

    def __init__(self, most: int = 10**6) -> None:
        self._most = most

    def lines(self, decisions: Sequence[Decision]) -> Iterator[str]:
        for number, each in enumerate(decisions):
            if number == self._most:
                raise ZeroDivisionError
            yield json.dumps(
                {"decision_id": each.decision_id, "rows": [{"shipment_no": each.shipment_no, "ü": "\u2028"}]}
            )


@pytest.fixture
def settings(tmp_path: Path, state_url: SecretStr | None) -> Settings:
    return Settings(home=tmp_path / "home", state_url=state_url)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    made = open_state(settings)
    let_in(made, "r")
    yield made
    made.dispose()


def decision(number: int, decided_at: datetime = NOW) -> Decision:
    return Decision(
        decision_id=f"d{number}", business_id=f"b-{number}", revision=1, company_id="WBDE", order_no="O", customer_id="C",
        shipment_no=f"S{number}", verdict="released", codes=(), warnings=(), reasons=[], input_hash=f"i{number}",
        content_hash="c", ruleset_version="r", policy_version="p", as_of=NOW, decided_at=decided_at, amount=None,
        currency=None, run_id="run", is_first_evaluation=True,
    )  # fmt: skip


def rows(engine: Engine) -> list[int]:
    with engine.connect() as db:
        return list(db.scalars(text("SELECT decision_count FROM gate_inputs ORDER BY 1")))


def test_each_decision_finds_its_own_line(engine: Engine) -> None:
    given = [decision(number) for number in range(gate_inputs.LINES + 3)]
    assert decisions.record(engine, given, Given()) == len(given)
    assert rows(engine) == [3, gate_inputs.LINES]
    kept = [each for part in decisions.every(engine) for each in part]
    found = {each.decision_id: line for each, line in gate_inputs.find(engine, kept)}
    assert len(found) == len(given)
    for each in given:
        line = found[each.decision_id]
        assert isinstance(line, str) and json.loads(line)["rows"] == [
            {"shipment_no": each.shipment_no, "ü": "\u2028"}
        ]
    assert ledger.verify(engine).problem is None


def test_the_same_decision_is_kept_once_and_another_one_beside_it(engine: Engine) -> None:
    decisions.record(engine, [decision(1)], Given())
    assert decisions.record(engine, [decision(1)], Given()) == 0
    assert rows(engine) == [1]
    decisions.record(engine, [replace(decision(1), decision_id="d9", input_hash="mended")], Given())
    assert rows(engine) == [1, 1]


def test_inputs_that_cannot_be_made_leave_no_decision(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError):
        decisions.record(engine, [decision(1), decision(2)], Given(most=1))
    assert (rows(engine), decisions.latest(engine)) == ([], {})
    with engine.connect() as db:
        assert ledger.newest(db)[0] == 0


@pytest.mark.parametrize("change", ["UPDATE gate_inputs SET decision_count = 2", "DELETE FROM gate_inputs"])
def test_nobody_changes_or_removes_them(engine: Engine, change: str) -> None:
    decisions.record(engine, [decision(1)], Given())
    with pytest.raises(DBAPIError, match="gate_inputs: append-only"), engine.begin() as db:
        db.execute(text(change))


def test_decisions_are_found_by_shipment_by_what_they_bill_and_by_day(engine: Engine) -> None:
    midnight = datetime(2026, 11, 14, tzinfo=UTC)
    times = (midnight - timedelta(microseconds=1), midnight, midnight + timedelta(days=1))
    decisions.record(engine, [decision(number, moment) for number, moment in enumerate(times)], Given())

    def named(key: str | None = None, day: date | None = None) -> list[str]:
        return [each.shipment_no for part in decisions.every(engine, key, day) for each in part]

    assert named() == ["S0", "S1", "S2"]
    assert named("S1") == named("b-1") == ["S1"]
    assert named(day=date(2026, 11, 14)) == ["S1"]
    assert named("nobody") == []


def test_a_restore_brings_them_back(
    settings: Settings, engine: Engine, tmp_path: Path, other_url: SecretStr | None
) -> None:
    decisions.record(engine, [decision(1)], Given())
    backup.backup(settings, tmp_path / "b.tar")
    home = Settings(home=tmp_path / "restored", state_url=other_url)
    restore(home, tmp_path / "b.tar")
    restored = open_state(home)
    (kept,) = decisions.latest(restored).values()
    ((_, line),) = gate_inputs.find(restored, [kept])
    assert isinstance(line, str) and json.loads(line)["decision_id"] == "d1"
    restored.dispose()
