"""A change of rules is let in by two people, for the very content that both saw, and nothing is released by any other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.errors import ConfigurationError, PermanentFailure
from core.ids import canonical_json, sha256_hex
from core.settings import Settings
from state import backup, decisions, ledger, rulesets
from state.decisions import Decision
from state.engine import open_state, reading
from state.restore import restore
from state.rulesets import Ruleset
from state.shipped_rules import SHIPPED, Gate
from state.tables import ledger as ledger_table
from state.tables_of_people import rulesets as table
from tests.support.approved_rules import let_in

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def rules(limit: int, gate: Gate = "flows") -> Ruleset:
    return Ruleset(gate, f"p{limit}", canonical_json({"policy": {"limit": limit}}))


ONE, TWO, THREE = rules(1), rules(2), rules(3)
OF_NOTES = rules(2, "credit_notes")
FILES: dict[Gate, Ruleset] = {"flows": TWO, "credit_notes": OF_NOTES}


@pytest.fixture(autouse=True)
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The release ships ONE."""
    monkeypatch.setitem(SHIPPED, "flows", ONE.version)


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Iterator[Engine]:
    made = open_state(Settings(home=tmp_path / "home", state_url=state_url))
    yield made
    made.dispose()


@pytest.fixture
def used(engine: Engine) -> Engine:
    """A store that has taken the release's rules."""
    rulesets.require(engine, ONE)
    return engine


@pytest.fixture
def asked(used: Engine) -> Engine:
    rulesets.propose(used, TWO, "anna", "fewer questions", NOW)
    return used


def grant(engine: Engine, by: str = "boris", named: str = TWO.version) -> rulesets.Rules:
    return rulesets.answer(engine, named, FILES, "granted", by, "seen", LATER)


def told(engine: Engine) -> list[tuple[str, str, dict[str, Any]]]:
    """What the ledger has of rules."""
    chosen = (
        select(ledger_table).where(ledger_table.c.event.like("rules_%")).order_by(ledger_table.c.sequence)
    )
    with reading(engine) as db:
        return [(row.event, row.actor, row.detail) for row in db.execute(chosen)]


def released(version: str, verdict: Any = "released") -> Decision:
    return Decision(
        decision_id=sha256_hex(f"{version}-{verdict}".encode()), business_id="b-1", revision=1, company_id="WBDE", order_no="O1", shipment_no="S1",
        customer_id="C1", verdict=verdict, codes=() if verdict == "released" else ("POD_MISSING",), warnings=(), reasons=[],
        input_hash="i1", content_hash="c1", ruleset_version=version, policy_version="p", as_of=NOW, decided_at=NOW,
        amount=None, currency=None, run_id="run", is_first_evaluation=True,
    )  # fmt: skip


def test_a_store_without_rules_takes_the_release_s_and_only_once(engine: Engine) -> None:
    assert rulesets.require(engine, ONE).answer == "shipped"
    assert rulesets.require(engine, ONE).told == rulesets.require(engine, ONE).told
    ((event, actor, detail),) = told(engine)
    assert (event, actor, detail["before"], detail["after"]) == ("rules_taken", "release", None, ONE.version)


def test_a_store_without_rules_takes_no_others(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match="this store has none yet"):
        rulesets.require(engine, TWO)
    assert told(engine) == []


def test_a_later_release_is_a_change_like_any_other(used: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHIPPED, "flows", TWO.version)
    with pytest.raises(ConfigurationError, match="limit: 1 → 2"):
        rulesets.require(used, TWO)
    rulesets.propose(used, TWO, "anna", "the new release", NOW)
    grant(used)
    assert rulesets.require(used, TWO).told == "boris, proposed by anna, 2026-11-13"


def test_one_proposes_and_another_lets_in(asked: Engine) -> None:
    with pytest.raises(ConfigurationError, match="anna proposed them; somebody else"):
        rulesets.require(asked, TWO)
    assert rulesets.require(asked, ONE).ruleset_version == ONE.version, "what is proposed changes nothing yet"
    given = grant(asked)
    assert rulesets.require(asked, TWO) == given
    with pytest.raises(ConfigurationError, match="limit: 2 → 1"):
        rulesets.require(asked, ONE)


def test_the_ledger_has_actor_before_after_change_and_reason(asked: Engine) -> None:
    grant(asked)
    same = {
        "gate": "flows",
        "before": ONE.version,
        "after": TWO.version,
        "policy_version": "p2",
        "changes": ["limit: 1 → 2"],
    }
    assert told(asked)[1:] == [
        ("rules_proposed", "anna", same | {"reason": "fewer questions"}),
        ("rules_approved", "boris", same | {"reason": "seen", "proposed_by": "anna"}),
    ]
    assert ledger.verify(asked).problem is None


def test_what_is_rejected_changes_nothing_and_may_be_proposed_again(asked: Engine) -> None:
    rulesets.answer(asked, TWO.version[:8], FILES, "rejected", "boris", "too wide", LATER)
    assert told(asked)[-1][:2] == ("rules_rejected", "boris")
    assert rulesets.require(asked, ONE)
    with pytest.raises(PermanentFailure, match="0 proposed rulesets"):
        grant(asked)
    rulesets.propose(asked, TWO, "anna", "here is why", LATER)
    assert grant(asked).answer == "granted"


@pytest.mark.parametrize("same", ["anna", " ANNA "])
def test_who_proposed_cannot_answer(asked: Engine, same: str) -> None:
    with pytest.raises(PermanentFailure, match="Somebody else"):
        grant(asked, by=same)
    assert len(told(asked)) == 2
    assert grant(asked, by="anna-b").answered_by == "anna-b"


@pytest.mark.parametrize("maker", ["anna", "Anna", " anna ", " "])
def test_the_database_refuses_an_answer_by_the_maker(asked: Engine, maker: str) -> None:
    """Fault 44."""
    values = {"answer": "granted", "answered_because": "a", "answered_at": NOW, "answered_for": TWO.version}
    open_ = update(table).where(table.c.answer.is_(None))
    with pytest.raises(IntegrityError, match="four_eyes"), asked.begin() as db:
        db.execute(open_.values(**values, answered_by=maker))
    with asked.begin() as db:
        db.execute(open_.values(**values, answered_by="boris"))


@pytest.mark.parametrize("other", [None, THREE.version, TWO.version[:12]])
def test_the_database_refuses_an_answer_to_another_content(asked: Engine, other: str | None) -> None:
    values = {"answer": "granted", "answered_by": "boris", "answered_because": "a", "answered_at": NOW}
    open_ = update(table).where(table.c.answer.is_(None))
    with pytest.raises(IntegrityError, match="bound"), asked.begin() as db:
        db.execute(open_.values(**values, answered_for=other))
    with asked.begin() as db:
        db.execute(open_.values(**values, answered_for=TWO.version))


@pytest.mark.parametrize(
    "change",
    [{"ruleset_version": "other"}, {"content": b"{}"}, {"proposed_by": "carla"}, {"gate": "credit_notes"}],
)
def test_what_was_proposed_cannot_become_something_else(asked: Engine, change: dict[str, Any]) -> None:
    with pytest.raises(DBAPIError, match="an answer stands"), asked.begin() as db:
        db.execute(update(table).where(table.c.answer.is_(None)).values(**change))


@pytest.mark.parametrize("change", [{"answer": "rejected"}, {"answered_by": "carla"}, {"answered_for": None}])
def test_an_answer_that_was_given_stands(asked: Engine, change: dict[str, Any]) -> None:
    newest = grant(asked).ruleset_id
    with pytest.raises(DBAPIError, match="an answer stands"), asked.begin() as db:
        db.execute(update(table).where(table.c.ruleset_id == newest).values(**change))
    with pytest.raises(DBAPIError, match="append-only"), asked.begin() as db:
        db.execute(table.delete())


def test_nobody_answers_a_proposal_that_a_newer_one_took_the_place_of(asked: Engine) -> None:
    rulesets.propose(asked, THREE, "carla", "better", NOW)
    with pytest.raises(PermanentFailure, match="0 proposed rulesets"):
        grant(asked)
    values = {"answer": "granted", "answered_by": "boris", "answered_because": "a", "answered_at": NOW}
    old = update(table).where(table.c.ruleset_version == TWO.version)
    with pytest.raises(DBAPIError, match="a newer proposal"), asked.begin() as db:
        db.execute(old.values(**values, answered_for=TWO.version))
    given = rulesets.answer(asked, THREE.version, {"flows": THREE}, "granted", "boris", "seen", LATER)
    assert given.ruleset_version == THREE.version


@pytest.mark.parametrize("answer", ["granted", "rejected", "shipped"])
def test_the_database_takes_no_ruleset_that_comes_with_its_answer(used: Engine, answer: str) -> None:
    row = {"gate": "flows", "ruleset_version": "r", "policy_version": "p", "content": b"{}"}
    proposed = {"proposed_by": "anna", "proposed_because": "a", "proposed_at": NOW}
    given = {
        "answer": answer,
        "answered_by": "boris",
        "answered_because": "a",
        "answered_at": NOW,
        "answered_for": "r",
    }
    with pytest.raises(DBAPIError, match="proposed first"), used.begin() as db:
        db.execute(insert(table).values(**row, **proposed, **given))
    with used.begin() as db:
        db.execute(insert(table).values(**row, **proposed))
    with pytest.raises(DBAPIError, match="nobody answers so"), used.begin() as db:
        db.execute(update(table).where(table.c.answer.is_(None)).values(**given | {"answer": "shipped"}))


def test_the_files_changed_after_the_proposal(asked: Engine) -> None:
    with pytest.raises(PermanentFailure, match="limit: 2 → 3"):
        rulesets.answer(asked, TWO.version, {"flows": THREE}, "granted", "boris", "seen", LATER)
    assert rulesets.require(asked, ONE), "nothing was let in"
    rejected = rulesets.answer(
        asked, TWO.version, {"flows": THREE}, "rejected", "boris", "not any more", LATER
    )
    assert rejected.answer == "rejected", "what one does not have one may still refuse"


@pytest.mark.parametrize("named", [TWO.version[:7], "0" * 12, ""])
def test_who_answers_names_what_was_looked_at(asked: Engine, named: str) -> None:
    with pytest.raises(PermanentFailure, match="0 proposed rulesets"):
        grant(asked, named=named)
    assert grant(asked, named=TWO.version[:8]).answer == "granted"


def test_each_gate_has_rules_of_its_own(asked: Engine) -> None:
    """The same content, and so the same version: the name tells neither apart."""
    rulesets.propose(asked, OF_NOTES, "anna", "these too", NOW)
    with pytest.raises(PermanentFailure, match="2 proposed rulesets"):
        grant(asked)


def test_what_is_in_force_or_proposed_is_not_proposed_again(asked: Engine) -> None:
    with pytest.raises(PermanentFailure, match="anna has proposed these rules already"):
        rulesets.propose(asked, TWO, "carla", "me too", NOW)
    with pytest.raises(PermanentFailure, match="nothing to propose"):
        rulesets.propose(asked, ONE, "carla", "as they are", NOW)


def test_what_was_in_force_comes_back_by_two_people_only(asked: Engine) -> None:
    grant(asked)
    rulesets.propose(asked, ONE, "anna", "it was better", LATER)
    rulesets.answer(asked, ONE.version, {"flows": ONE}, "granted", "boris", "it was", LATER)
    assert rulesets.require(asked, ONE).answer == "granted"


def test_nothing_is_released_by_rules_that_are_not_in_force(used: Engine) -> None:
    with pytest.raises(ConfigurationError, match="Nothing was kept"):
        decisions.record(used, [released(TWO.version)])
    row = vars(released(TWO.version))
    table_of_decisions = decisions.gate_decisions
    with pytest.raises(DBAPIError, match="not by the rules in force"), used.begin() as db:
        db.execute(insert(table_of_decisions).values(**row))
    assert decisions.record(used, [released(TWO.version, "blocked")]) == 1, "what holds needs nobody's word"
    assert decisions.record(used, [released(ONE.version)]) == 1


def test_rules_that_somebody_changed_in_the_store_are_found(engine: Engine) -> None:
    let_in(engine, TWO.version)  # with another content than the version says
    with pytest.raises(PermanentFailure, match="somebody changed them in the store"):
        rulesets.require(engine, TWO)


def test_long_names_leave_room_in_a_decision(used: Engine) -> None:
    rulesets.propose(used, TWO, "a" * 140, "long", NOW)
    given = grant(used, by="b" * 140)
    assert len(given.told) <= 140
    assert (
        decisions.record(used, [Decision(**vars(released(TWO.version)) | {"rules_approved_by": given.told})])
        == 1
    )


def test_a_restored_store_has_the_rules_of_its_backup(
    asked: Engine, tmp_path: Path, other_url: SecretStr | None, state_url: SecretStr | None
) -> None:
    grant(asked)
    backup.backup(Settings(home=tmp_path / "home", state_url=state_url), tmp_path / "kept")
    other = Settings(home=tmp_path / "other", state_url=other_url)
    restore(other, tmp_path / "kept")
    restored = open_state(other)
    assert rulesets.require(restored, TWO).told == "boris, proposed by anna, 2026-11-13"
    with pytest.raises(ConfigurationError):
        rulesets.require(restored, ONE)
    restored.dispose()
