"""Who pulls the kill switch stops what it names and nothing else; to release it takes two."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.errors import PermanentFailure
from core.settings import Settings
from state import kill_switch, ledger
from state.engine import open_state
from state.kill_switch import Scope
from state.tables_of_people import kill_switches

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
EVERYTHING, ERP, WBDE = Scope("global"), Scope("destination", "erp"), Scope("company", "WBDE")


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    return open_state(Settings(home=tmp_path, state_url=state_url))


def is_stopped(engine: Engine, destination: str, company: str) -> bool:
    with engine.connect() as db:
        return kill_switch.stops(db, destination, company) is not None


@pytest.mark.parametrize(
    ("scope", "stopped"),
    [
        (EVERYTHING, {("erp", "WBDE"), ("erp", "WBPT"), ("other", "WBDE"), ("other", "WBPT")}),
        (ERP, {("erp", "WBDE"), ("erp", "WBPT")}),
        (WBDE, {("erp", "WBDE"), ("other", "WBDE")}),
    ],
)
def test_a_switch_stops_what_it_names_and_nothing_else(
    engine: Engine, scope: Scope, stopped: set[tuple[str, str]]
) -> None:
    kill_switch.pull(engine, scope, "anna", "wrong prices", NOW)
    rows = {(destination, company) for destination in ("erp", "other") for company in ("WBDE", "WBPT")}
    assert {row for row in rows if is_stopped(engine, *row)} == stopped


def test_two_people_release_it(engine: Engine) -> None:
    kill_switch.pull(engine, ERP, "anna", "wrong prices", NOW)
    asked = kill_switch.release(engine, ERP, "anna", "mended", NOW)
    assert asked is not None
    assert asked.release_asked_by == "anna"
    assert is_stopped(engine, "erp", "WBDE")
    assert kill_switch.release(engine, ERP, "boris", "seen", NOW) is None
    assert not is_stopped(engine, "erp", "WBDE")
    assert kill_switch.pulled(engine) == []


@pytest.mark.parametrize("again", ["anna", " Anna "])
def test_who_asks_cannot_release_it_too(engine: Engine, again: str) -> None:
    kill_switch.pull(engine, ERP, "boris", "wrong prices", NOW)
    kill_switch.release(engine, ERP, "anna", "mended", NOW)
    with pytest.raises(PermanentFailure, match="Somebody else"):
        kill_switch.release(engine, ERP, again, "mended", NOW)
    assert is_stopped(engine, "erp", "WBDE")


@pytest.mark.parametrize(
    "released",
    [
        {"released_by": "Anna", "release_asked_by": "anna"},
        {"released_by": "boris", "release_asked_by": None},
        {"released_by": None, "release_asked_by": "anna"},
    ],
)
def test_the_database_refuses_a_release_by_fewer_than_two(
    engine: Engine, released: dict[str, str | None]
) -> None:
    kill_switch.pull(engine, ERP, "anna", "wrong prices", NOW)
    with pytest.raises(IntegrityError, match="two_people"), engine.begin() as db:
        db.execute(update(kill_switches).values(released_at=NOW, **released))


@pytest.mark.parametrize("change", [{"released_by": "carla"}, {"pulled_by": "carla"}, {"name": "other"}])
def test_what_was_pulled_and_released_stands(engine: Engine, change: dict[str, str]) -> None:
    kill_switch.pull(engine, ERP, "anna", "wrong prices", NOW)
    for person in ("anna", "boris"):
        kill_switch.release(engine, ERP, person, "mended", NOW)
    with pytest.raises(DBAPIError, match="what was done stands"), engine.begin() as db:
        db.execute(update(kill_switches).values(**change))


def test_nobody_removes_one(engine: Engine) -> None:
    kill_switch.pull(engine, ERP, "anna", "wrong prices", NOW)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as db:
        db.execute(kill_switches.delete())


def test_pulled_again_it_stays_and_a_release_asked_for_is_off(engine: Engine) -> None:
    first = kill_switch.pull(engine, EVERYTHING, "anna", "wrong prices", NOW)
    kill_switch.release(engine, EVERYTHING, "boris", "mended", NOW)
    again = kill_switch.pull(engine, EVERYTHING, "carla", "they are not", NOW)
    assert (again.switch_id, again.pulled_by, again.release_asked_by) == (first.switch_id, "anna", None)


def test_what_was_not_pulled_cannot_be_released(engine: Engine) -> None:
    kill_switch.pull(engine, ERP, "anna", "wrong prices", NOW)
    with pytest.raises(PermanentFailure, match="company WBDE"):
        kill_switch.release(engine, WBDE, "boris", "mended", NOW)


def test_the_ledger_says_who_what_and_why(engine: Engine) -> None:
    kill_switch.pull(engine, ERP, "anna", "wrong prices", NOW)
    kill_switch.release(engine, ERP, "anna", "mended", NOW)
    kill_switch.release(engine, ERP, "boris", "seen", NOW)
    with engine.connect() as db:
        told = [
            (
                row.event,
                row.actor,
                row.subject,
                row.detail["before"],
                row.detail["after"],
                row.detail["reason"],
            )
            for row in db.execute(ledger.ledger.select().where(ledger.ledger.c.event.startswith("kill")))
        ]
    assert told == [
        ("kill_switch_pulled", "anna", "destination erp", "released", "pulled", "wrong prices"),
        ("kill_switch_release_asked", "anna", "destination erp", "pulled", "release asked for", "mended"),
        ("kill_switch_released", "boris", "destination erp", "release asked for", "released", "seen"),
    ]
