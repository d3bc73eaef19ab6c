"""A dead letter's life: each move that may be made can be, each other one is refused by the database itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from core.errors import PermanentFailure
from core.settings import Settings
from state import dead_letters, ledger, letter_decisions, letter_fixes, observations
from state.dead_letters import DeadLetter
from state.engine import open_state, reading
from state.ingest_counts import of_run
from state.letter_decisions import Word
from state.letter_states import DECIDED, MOVES, STATUSES
from state.tables import ledger as entries

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
WORD = Word("anna", "typo", NOW)
WAYS = {
    "open": (),
    "parked": (),
    "replaying": ("replaying",),
    "replayed": ("replaying", "replayed"),
    "resolved": ("resolved",),
    "discarded": ("discarded",),
}
"""How an open letter gets to each status; a parked one is born so."""


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Iterator[Engine]:
    engine = open_state(Settings(home=tmp_path, state_url=state_url))
    yield engine
    engine.dispose()


def letter(number: int = 1, **changes: Any) -> DeadLetter:
    fields: dict[str, Any] = {
        "connection": "erp", "kind": "erp", "resource": "orders", "source_id": f"O-{number}", "order_ref": f"O-{number}",
        "shipment_ref": None, "reason": "CURRENCY_INVALID", "detail": "EURO", "raw": b"{}", "raw_sha256": f"{number:064d}",
        "trace_id": "t", "run_id": "r", "status": "open", "received_at": NOW, "source_version": NOW,
        "fields": {"currency": "EURO"},
    }  # fmt: skip
    return DeadLetter(**(fields | changes))


def kept(engine: Engine, number: int = 1, **changes: Any) -> DeadLetter:
    made = letter(number, **changes)
    dead_letters.record(engine, [made])
    return dead_letters.get(engine, made.dead_letter_id)


def move(engine: Engine, name: str, to: str, by: str | None = "anna") -> None:
    with engine.begin() as db:
        db.execute(
            text(
                "UPDATE dead_letters SET status = :to, decided_by = :by, decided_because = :why, decided_at = :at "
                "WHERE dead_letter_id = :name"
            ),
            {"to": to, "by": by, "why": by, "at": NOW.isoformat(), "name": name},
        )


def events(engine: Engine) -> list[tuple[str, str, str]]:
    with reading(engine) as db:
        return [(row.event, row.actor, row.subject) for row in db.execute(entries.select())]


def born(engine: Engine, status: str, number: int = 1) -> str:
    name = kept(engine, number, status="parked" if status == "parked" else "open").dead_letter_id
    for each in WAYS[status]:
        move(engine, name, each)
    return name


@pytest.mark.parametrize(
    ("before", "after"), [pair for pair in product(STATUSES, STATUSES) if pair[0] != pair[1]]
)
def test_the_database_allows_the_moves_of_its_life_and_no_other(
    engine: Engine, before: str, after: str
) -> None:
    name = born(engine, before)
    if after in MOVES[before]:
        move(engine, name, after)
        assert dead_letters.get(engine, name).status == after
    else:
        with pytest.raises(DBAPIError):
            move(engine, name, after)
        assert dead_letters.get(engine, name).status == before


@pytest.mark.parametrize("after", DECIDED)
@pytest.mark.parametrize("by", [None, "  "])
def test_what_a_person_decides_has_a_person_and_a_reason(engine: Engine, after: str, by: str | None) -> None:
    name = born(engine, "replaying" if after == "replayed" else "open")
    with pytest.raises(DBAPIError):
        move(engine, name, after, by)


@pytest.mark.parametrize("status", ["replaying", "resolved", "replayed", "discarded"])
def test_a_letter_begins_open_or_parked(engine: Engine, status: str) -> None:
    with pytest.raises(DBAPIError, match="begins open or parked"):
        dead_letters.record(
            engine, [letter(status=status, decided_by="a", decided_because="a", decided_at=NOW)]
        )


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE dead_letters SET raw = x'00'",
        "UPDATE dead_letters SET raw_sha256 = 'b'",
        "UPDATE dead_letters SET fields = '{}'",
        "UPDATE dead_letters SET source_version = NULL",
        "UPDATE dead_letters SET connection = 'other'",
        "DELETE FROM dead_letters",
        "UPDATE dead_letter_fixes SET fields = '{}'",
        "DELETE FROM dead_letter_fixes",
    ],
)
def test_what_came_and_what_was_written_beside_it_is_never_altered(engine: Engine, change: str) -> None:
    made = kept(engine)
    letter_fixes.add(engine, made, {"currency": "EUR"}, NOW, "anna", "typo", NOW)
    with pytest.raises(DBAPIError), engine.begin() as db:
        db.execute(text(change))
    assert dead_letters.get(engine, made.dead_letter_id) == made
    assert len(letter_fixes.of_letter(engine, made.dead_letter_id)) == 1


def test_each_fix_stands_beside_the_one_before_and_the_ledger_has_both(engine: Engine) -> None:
    made = kept(engine)
    for value, reason in (("EUR", "typo"), ("USD", "no, theirs")):
        letter_fixes.add(engine, made, {"currency": value}, NOW, "anna", reason, NOW)
    fixes = letter_fixes.of_letter(engine, made.dead_letter_id)
    assert [(each.fix_no, each.fields["currency"], each.fixed_because) for each in fixes] == [
        (1, "EUR", "typo"), (2, "USD", "no, theirs"),
    ]  # fmt: skip
    with reading(engine) as db:
        told = [row.detail for row in db.execute(entries.select()) if row.event == "edited"]
    assert [(each["before"]["currency"], each["after"]["currency"]) for each in told] == [
        ("EURO", "EUR"), ("EUR", "USD"),
    ]  # fmt: skip


def test_a_replay_is_marked_and_counted_at_once_and_its_twins_with_it(engine: Engine) -> None:
    made, known = kept(engine), kept(engine, 2)
    twin, other = kept(engine, reason="STATUS_UNKNOWN"), kept(engine, 3)
    letter_decisions.begin_replay(engine, [made], WORD)
    assert dead_letters.open_reasons(engine)[0]["O-1"]  # it holds its order up until it is loaded
    letter_decisions.finish_replay(engine, "replay-1", [made], [known], WORD)
    status = {each.dead_letter_id: dead_letters.get(engine, each.dead_letter_id).status for each in (made, known, twin, other)}  # fmt: skip
    assert list(status.values()) == ["replayed", "resolved", "resolved", "open"]
    [count] = of_run(engine, "replay-1")
    assert (count.rows_in, count.loaded, count.duplicate, count.source) == (2, 1, 1, "raw_erp")
    assert ("replayed", "anna", made.dead_letter_id) in events(engine)
    assert ledger.verify(engine).first_bad is None


def test_finished_twice_it_is_counted_once(engine: Engine) -> None:
    made = kept(engine)
    letter_decisions.begin_replay(engine, [made], WORD)
    for run in ("replay-1", "replay-2"):
        letter_decisions.finish_replay(engine, run, [made], [], WORD)
    assert [len(of_run(engine, run)) for run in ("replay-1", "replay-2")] == [1, 0]
    assert [each[0] for each in events(engine)] == ["replay_begun", "replayed"]


@pytest.mark.parametrize("status", ["replaying", "resolved", "replayed", "discarded"])
def test_what_is_under_way_or_done_is_neither_fixed_nor_discarded(engine: Engine, status: str) -> None:
    done = dead_letters.get(engine, born(engine, status))
    before = events(engine)
    for decide in (
        lambda: letter_fixes.add(engine, done, {}, NOW, "ben", "again", NOW),
        lambda: letter_decisions.discard(engine, [kept(engine, 2), done], WORD),
    ):
        with pytest.raises(PermanentFailure, match=r"being replayed|that stands"):
            decide()
    assert events(engine) == before
    assert dead_letters.with_status(engine, "open")[0].source_id == "O-2"  # all or none


def test_who_decided_meanwhile_wins(engine: Engine) -> None:
    seen = kept(engine)
    letter_decisions.discard(engine, [dead_letters.get(engine, seen.dead_letter_id)], WORD)
    for decide in (letter_decisions.begin_replay, letter_decisions.discard):
        with pytest.raises(PermanentFailure, match="is discarded"):
            decide(engine, [seen], Word("ben", "mine", NOW))
    assert dead_letters.get(engine, seen.dead_letter_id).decided_by == "anna"


def test_a_reading_says_in_the_ledger_what_it_closed(engine: Engine) -> None:
    waiting, refused = kept(engine, status="parked", park_until=NOW), kept(engine, 2)
    discarded = born(engine, "discarded", 3)
    assert dead_letters.expire(engine, [waiting.dead_letter_id, refused.dead_letter_id]) == 1
    assert dead_letters.resolve(engine, [waiting.dead_letter_id, refused.dead_letter_id]) == 2
    assert dead_letters.resolve(engine, [waiting.dead_letter_id, discarded]) == 0
    assert [each[:2] for each in events(engine)] == [
        ("letters_expired", "ingestion"), ("letters_loaded", "ingestion"),
    ]  # fmt: skip


def test_a_letter_is_found_by_the_beginning_of_its_id_and_only_when_it_is_one(engine: Engine) -> None:
    made = kept(engine)
    assert dead_letters.get(engine, made.dead_letter_id[:8]) == made
    for named in (made.dead_letter_id[:5], "%" * 8, "_" * 64, "", "0" * 64):
        with pytest.raises(PermanentFailure, match="There is no dead letter"):
            dead_letters.get(engine, named)


def test_letters_are_picked_by_connection_resource_and_reason(engine: Engine) -> None:
    for number, changes in enumerate(
        ({}, {"connection": "pod"}, {"resource": "items"}, {"reason": "CYCLE"}), start=1
    ):
        kept(engine, number, **changes)
    pick = dead_letters.Wanted
    found = {
        name: {each.source_id for each in dead_letters.wanted(engine, which)}
        for name, which in {
            "all": pick(("open",)), "none": pick(("parked",)), "pod": pick(("open",), connection="pod"),
            "items": pick(("open",), resource="items"), "cycle": pick(("open",), reason_code="CYCLE"),
            "both": pick(("open",), connection="pod", reason_code="CYCLE"),
        }.items()
    }  # fmt: skip
    assert found == {
        "all": {"O-1", "O-2", "O-3", "O-4"}, "none": set(), "pod": {"O-2"}, "items": {"O-3"}, "cycle": {"O-4"}, "both": set(),
    }  # fmt: skip


@pytest.mark.parametrize(("read_after_s", "holds"), [(None, True), (-1, True), (0, True), (1, False)])
def test_a_replayed_row_holds_its_order_up_until_the_sources_are_read_again(
    engine: Engine, read_after_s: int | None, holds: bool
) -> None:
    """Models are built after a reading: what was replayed since is in none of them."""
    made = kept(engine)
    letter_decisions.begin_replay(engine, [made], WORD)
    letter_decisions.finish_replay(engine, "replay-1", [made], [], WORD)
    if read_after_s is not None:
        observations.record(engine, "erp", "erp", True, NOW + timedelta(seconds=read_after_s), None)
    assert dead_letters.open_reasons(engine)[0] == ({"O-1": {"CURRENCY_INVALID"}} if holds else {})
