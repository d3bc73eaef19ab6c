"""What one attempt ends with and the next begins with reach the disk together; until then nothing is claimed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, event

from activation.books import Books
from activation.document import document_of, effect_of
from core.settings import Settings
from state import decisions, kill_switch, leases, ledger, outbox
from state.engine import open_state
from state.kill_switch import Scope
from state.outbox_intake import enqueue_all
from state.outbox_rows import OutboxRow
from tests.simulation.erp import BEGINNING, Clock
from tests.simulation.world import released, row_of
from tests.support.approved_rules import let_in


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    return open_state(Settings(home=tmp_path, state_url=state_url))


@pytest.fixture
def leased(engine: Engine) -> list[OutboxRow]:
    """Three released rows, taken by this worker."""
    rows = [row_of(number) for number in range(3)]
    let_in(engine, "r")
    decisions.record(engine, [released(row) for row in rows])
    with engine.begin() as db:
        enqueue_all(db, [effect_of(row, document_of(row)) for row in rows], BEGINNING)
    return leases.lease(engine, "erp", "worker", BEGINNING, BEGINNING + timedelta(minutes=2), 3)


@pytest.fixture
def books(engine: Engine) -> Books:
    return Books(engine, "worker", Clock())


def begin(books: Books, row: OutboxRow) -> OutboxRow:
    """The row as it is then: nobody has taken it over."""
    (begun,) = books.begin([row])
    assert begun is not None
    return begun


def states(engine: Engine) -> list[str]:
    return [row.state for row in outbox.rows(engine)]


def test_an_ending_waits_for_the_next_beginning_and_shares_its_commit(
    engine: Engine, books: Books, leased: list[OutboxRow]
) -> None:
    first = begin(books, leased[0])
    books.end(first, "UNKNOWN", {"last_error": "no answer"})
    assert states(engine) == ["SENDING", "READY", "READY"]
    seen: list[object] = []
    event.listen(engine, "commit", seen.append)
    begin(books, leased[1])
    assert len(seen) == 1
    assert states(engine) == ["UNKNOWN", "SENDING", "READY"]
    assert ledger.verify(engine).problem is None


def test_a_flush_leaves_nothing_behind(engine: Engine, books: Books, leased: list[OutboxRow]) -> None:
    for row in leased:
        books.end(begin(books, row), "UNKNOWN", {"last_error": "no answer"})
    books.flush()
    assert states(engine) == ["UNKNOWN"] * 3


def test_what_is_blocked_or_taken_keeps_no_other_from_beginning(
    engine: Engine, books: Books, leased: list[OutboxRow]
) -> None:
    blocked = {"verdict": "blocked", "codes": ("POD_VOIDED",)}
    decisions.record(engine, [released(row_of(0), decision_id="later", **blocked)])
    books.end(begin(books, leased[1]), "UNKNOWN", {"last_error": "no answer"})
    assert begin(books, leased[0]).state == "BLOCKED"
    assert books.begin([leased[1]]) == [None]
    assert begin(books, leased[2]).state == "SENDING"
    assert states(engine) == ["BLOCKED", "UNKNOWN", "SENDING"]


def test_a_switch_that_is_pulled_stops_the_beginning_and_not_the_ending(
    engine: Engine, books: Books, leased: list[OutboxRow]
) -> None:
    books.end(begin(books, leased[0]), "UNKNOWN", {"last_error": "no answer"})
    kill_switch.pull(engine, Scope("global"), "anna", "wrong prices", BEGINNING)
    assert begin(books, leased[1]).state == "READY"
    assert states(engine) == ["UNKNOWN", "READY", "READY"]
    (given_back,) = [row for row in outbox.rows(engine) if row.shipment_no == leased[1].shipment_no]
    assert given_back.leased_by is None


def test_an_ending_that_another_worker_forestalled_changes_nothing(
    engine: Engine, books: Books, leased: list[OutboxRow]
) -> None:
    begun = begin(books, leased[0])
    with engine.begin() as db:
        outbox.move(db, begun, "UNKNOWN", BEGINNING, {"last_error": "the attempt did not end"})
    books.end(begun, "DEAD", {"last_error": "refused"})
    books.flush()
    assert states(engine)[0] == "UNKNOWN"
