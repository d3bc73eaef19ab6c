"""What is forgotten of a message is its bytes alone, and only when nobody needs them any more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import DBAPIError

from core.errors import ConfigurationError
from core.settings import Settings
from state import inbox, ledger, retention
from state.engine import open_state, reading
from state.inbox import MEMORY, Incoming, Settled
from state.tables import ledger as ledger_table
from state.tables_of_messages import inbox as table

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
LATER = NOW + MEMORY + timedelta(seconds=1)


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Iterator[Engine]:
    engine = open_state(Settings(home=tmp_path, state_url=state_url))
    yield engine
    engine.dispose()


def take(engine: Engine, *ids: str, at: datetime = NOW, settled: bool = True) -> None:
    inbox.accept(
        engine,
        [
            Incoming("pod", each, "api", "event", "application/json", b"{} " + each.encode(), f"t_{each}", at)
            for each in ids
        ],
    )
    if settled:
        open_ = inbox.unsettled(engine, "pod", 100)
        inbox.settle(engine, "run", [Settled(each.message_no, 1, 1, 0, 0, 0) for each in open_], at)


def rows(engine: Engine) -> dict[str, Any]:
    with reading(engine) as db:
        return {row.event_id: row for row in db.execute(select(table))}


def test_old_and_settled_goes_and_nothing_else_does(engine: Engine) -> None:
    take(engine, "old", "too")
    take(engine, "young", at=NOW + timedelta(microseconds=1))
    take(engine, "open", at=NOW - timedelta(days=400), settled=False)
    pruned = retention.prune(engine, MEMORY, "anna", LATER)
    assert (pruned.messages, pruned.size_bytes) == (2, 12)
    found = rows(engine)
    assert {name: row.body for name, row in found.items()} == {
        "old": b"", "too": b"", "young": b"{} young", "open": b"{} open",
    }  # fmt: skip
    assert (found["old"].loaded, found["old"].settled_at, found["old"].pruned_at) == (1, NOW, LATER)
    assert [each.event_id for each in inbox.unsettled(engine, "pod", 9)] == ["open"]


def test_the_ledger_says_who_had_how_much_forgotten(engine: Engine) -> None:
    take(engine, "old")
    retention.prune(engine, MEMORY, "anna", LATER)
    assert retention.prune(engine, MEMORY, "anna", LATER).messages == 0
    with reading(engine) as db:
        told = [row for row in db.execute(select(ledger_table)) if row.event == "inbox_pruned"]
    (row,) = told
    detail = row.detail if isinstance(row.detail, dict) else json.loads(row.detail)
    assert (row.actor, detail["messages"], detail["size_bytes"]) == ("anna", 1, 6)
    assert ledger.verify(engine).first_bad is None


def test_many_go_part_by_part(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_PART", 2)
    take(engine, "a", "b", "c", "d", "e")
    assert retention.prune(engine, MEMORY, "anna", LATER).messages == 5
    assert {row.body for row in rows(engine).values()} == {b""}


def test_an_id_is_not_free_because_its_bytes_are_gone(engine: Engine) -> None:
    take(engine, "old")
    retention.prune(engine, MEMORY, "anna", LATER)
    incoming = Incoming(
        "pod", "old", "api", "event", "application/json", b"{} old", "t", LATER - timedelta(seconds=2)
    )
    outcomes = [each.outcome for each in inbox.accept(engine, [incoming, replace(incoming, body=b"other")])]
    assert outcomes == ["duplicate", "conflict"]


def test_bytes_are_not_forgotten_while_an_id_is_remembered(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match="89 days"):
        retention.prune(engine, timedelta(days=89), "anna", LATER)


@pytest.mark.parametrize(
    "changed",
    [
        {"body": b"", "pruned_at": LATER - timedelta(seconds=2)},
        {"body": b"x", "pruned_at": LATER},
        {"body": b""},
        {"pruned_at": LATER, "body": b"", "loaded": 7},
        {"pruned_at": LATER, "body": b"", "body_sha256": "0"},
    ],
    ids=["too young", "other bytes", "unsaid", "another outcome", "another hash"],
)
def test_the_database_lets_nothing_else_go(engine: Engine, changed: dict[str, object]) -> None:
    take(engine, "old")
    with pytest.raises(DBAPIError, match="inbox"), engine.begin() as db:
        db.execute(update(table).values(**changed))


def test_the_database_keeps_the_bytes_of_what_is_open_and_what_was_pruned_stays_so(engine: Engine) -> None:
    take(engine, "open", settled=False)
    with pytest.raises(DBAPIError, match="inbox"), engine.begin() as db:
        db.execute(update(table).values(body=b"", pruned_at=LATER))
    take(engine)
    retention.prune(engine, MEMORY, "anna", LATER)
    with pytest.raises(DBAPIError, match="inbox"), engine.begin() as db:
        db.execute(update(table).values(pruned_at=None))
