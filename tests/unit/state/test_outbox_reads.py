"""What a loop asks of the outbox every moment is answered by index, in order, and without payloads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, event, text, update

from core.settings import Settings
from state import attempts, leases, ledger, outbox, outbox_moves, waiting
from state.engine import open_state
from state.outbox_rows import NewEffect
from state.tables import outbox as table
from tests.support.guards import unguarded

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
SOON, LATER = NOW + timedelta(minutes=1), NOW + timedelta(hours=1)


def made_ready(engine: Engine, most: int = 10) -> int:
    """A part at a time, as a push comes by again and again."""
    made = 0
    while made < most:
        with engine.begin() as db:
            part = waiting.make_ready(db, "erp", NOW, most - made)
        if not part:
            break
        made += part
    return made


LOOPED = {
    "leased": lambda engine, keys: leases.leased(engine, "erp"),
    "make_ready": lambda engine, keys: made_ready(engine),
    "give_up": lambda engine, keys: waiting.give_up(engine, "erp", NOW, NOW),
    "is_waiting": lambda engine, keys: outbox.is_waiting(engine, "erp", NOW),
    "states_of": outbox.states_of,
    "of_keys": outbox.of_keys,
    "is_held": lambda engine, keys: leases.is_held(engine, outbox.of_keys(engine, keys[:1])[0], NOW),
}
WITH_BYTES = {
    "in_doubt": lambda engine, keys: outbox.in_doubt(engine, "erp"),
    "lease": lambda engine, keys: leases.lease(engine, "erp", "w", NOW, SOON, 2),
}


def effect(number: int, destination: str = "erp") -> NewEffect:
    return NewEffect(
        company="WBDE",
        destination=destination,
        operation="invoice",
        business_id=f"S-{number}",
        revision=1,
        shipment_no=f"S-{number}",
        decision_id="d",
        payload=b"bytes",
        payload_hash="p",
        content_hash="c",
        input_hash="i",
        amount=Decimal("1.10"),
        currency="EUR",
        charge_keys=(f"{destination}|{number}",),
    )


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Iterator[Engine]:
    engine = open_state(Settings(home=tmp_path, state_url=state_url))
    yield engine
    engine.dispose()


def enqueue(engine: Engine, *effects: NewEffect) -> list[str]:
    with engine.begin() as db:
        for each in effects:
            outbox.enqueue(db, each, NOW)
    return [each.idempotency_key for each in effects]


def put(engine: Engine, key: str, **values: Any) -> None:
    """Set columns behind the state machine's back."""
    with engine.begin() as db, unguarded(db, "outbox"):
        db.execute(update(table).where(table.c.idempotency_key == key).values(**values))


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Every SELECT on the outbox, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT") and "FROM outbox" in statement:
            seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", listen)
    yield seen
    event.remove(engine, "before_cursor_execute", listen)


def plan(engine: Engine, statement: str, parameters: Any) -> str:
    """How the database answers it; PostgreSQL as it would if the table were too large to read."""
    with engine.connect() as db:
        if engine.dialect.name == "sqlite":
            steps = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            return "; ".join(str(step[3]) for step in steps)
        db.execute(text("SET LOCAL enable_seqscan = off"))
        db.execute(text("SET LOCAL enable_bitmapscan = off"))
        return "; ".join(db.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())


def reads_all(told: str) -> bool:
    return bool(re.search(r"\bSCAN\b|Seq Scan", told))


@pytest.mark.parametrize("name", [*LOOPED, *WITH_BYTES])
def test_nothing_reads_the_whole_outbox(engine: Engine, name: str) -> None:
    keys = enqueue(engine, *(effect(number) for number in range(5)))
    with statements(engine) as seen:
        (LOOPED | WITH_BYTES)[name](engine, keys)
    assert seen
    for statement, parameters in seen:
        assert not reads_all(plan(engine, statement, parameters)), statement
    assert any(re.search(r"\boutbox_documents\.payload\b", each) for each, _ in seen) is (name in WITH_BYTES)


def test_a_statement_that_reads_it_all_would_be_told(engine: Engine) -> None:
    assert reads_all(plan(engine, "SELECT state FROM outbox WHERE last_error IS NULL", ()))


def test_whose_turn_it_is_needs_no_sorting(engine: Engine) -> None:
    enqueue(engine, *(effect(number) for number in range(5)))
    with statements(engine) as seen:
        leases.lease(engine, "erp", "w", NOW, SOON, 2)
    first = plan(engine, *seen[0])
    assert "ix_outbox_turn" in first
    assert "TEMP B-TREE" not in first
    assert "Sort" not in first


def test_the_oldest_are_leased_first_and_only_this_destination_s(engine: Engine) -> None:
    enqueue(engine, effect(9, "other"), effect(3), effect(1), effect(2))
    leased = leases.lease(engine, "erp", "w", NOW, SOON, 2)
    assert [each.shipment_no for each in leased] == ["S-3", "S-1"]
    assert leased[0].payload == b"bytes"


def test_what_is_leased_is_only_what_a_worker_has(engine: Engine) -> None:
    enqueue(engine, effect(1), effect(2), effect(3, "other"))
    leases.lease(engine, "erp", "w", NOW, SOON, 1)
    leases.lease(engine, "other", "w", NOW, SOON, 1)
    assert [each.shipment_no for each in leases.leased(engine, "erp")] == ["S-1"]


def test_a_retry_is_due_when_its_time_has_come(engine: Engine) -> None:
    early, due, at_once, elsewhere = enqueue(engine, effect(1), effect(2), effect(3), effect(4, "other"))
    for key, not_before in ((early, SOON), (due, NOW), (at_once, None), (elsewhere, NOW)):
        put(engine, key, state="RETRY_WAIT", not_before=not_before)
    assert made_ready(engine) == 2
    assert [each.shipment_no for each in outbox.rows(engine, "READY")] == ["S-2", "S-3"]
    assert [each.shipment_no for each in outbox.rows(engine, "RETRY_WAIT")] == ["S-1", "S-4"]


@pytest.mark.parametrize("part", [1, 2, 10])
def test_no_more_become_ready_than_asked_for_and_the_oldest_first(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(waiting, "_PART", part)
    keys = enqueue(engine, *(effect(number) for number in range(5)))
    for number, key in enumerate(keys):
        put(engine, key, state="RETRY_WAIT", not_before=LATER if number == 1 else NOW)
    before = ledger.verify(engine).rows
    assert made_ready(engine, 3) == 3
    assert [each.shipment_no for each in outbox.rows(engine, "READY")] == ["S-0", "S-2", "S-3"]
    assert made_ready(engine, 0) == 0
    found = ledger.verify(engine)
    assert (found.rows - before, found.problem) == (3, None)


def test_only_what_waits_since_before_is_given_up(engine: Engine) -> None:
    old, new, untried, ready = enqueue(engine, *(effect(number) for number in range(1, 5)))
    before = NOW - timedelta(seconds=1)
    for key in (old, new, untried):
        put(engine, key, state="RETRY_WAIT", enqueued_at=before)
    put(engine, ready, enqueued_at=NOW - timedelta(days=9))
    with engine.begin() as db:
        attempts.begin(db, outbox.of_keys(engine, [old, ready]), "w", before)
        attempts.begin(db, outbox.of_keys(engine, [new]), "w", NOW)
    assert waiting.give_up(engine, "erp", NOW, NOW) == 1
    assert [each.shipment_no for each in outbox.rows(engine, "HELD")] == ["S-1"]


@pytest.mark.parametrize(
    ("state", "not_before", "waits"),
    [
        ("RETRY_WAIT", SOON, True),
        ("UNKNOWN", None, True),
        ("RETRY_WAIT", LATER, False),
        ("READY", None, False),
        ("ACKED", None, False),
    ],
)
def test_one_waits_only_for_what_is_due_in_time(
    engine: Engine, state: str, not_before: datetime | None, waits: bool
) -> None:
    (key,) = enqueue(engine, effect(1))
    put(engine, key, state=state, not_before=not_before)
    assert outbox.is_waiting(engine, "erp", SOON) is waits
    assert not outbox.is_waiting(engine, "other", SOON)


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({}, True),
        ({"state": "UNKNOWN"}, False),
        ({"fencing_token": 2}, False),
        ({"leased_until": NOW}, False),
        ({"leased_until": None}, False),
    ],
)
def test_a_worker_holds_what_it_began_until_its_lease_ends(
    engine: Engine, changes: dict[str, Any], held: bool
) -> None:
    (key,) = enqueue(engine, effect(1))
    put(engine, key, state="SENDING", leased_by="w", leased_until=SOON, fencing_token=1)
    (begun,) = outbox.of_keys(engine, [key])
    put(engine, key, **({"state": "SENDING"} | changes))
    assert leases.is_held(engine, begun, NOW) is held


def test_many_keys_are_answered_in_their_order(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_moves, "_MOST_KEYS", 2)
    keys = enqueue(engine, *(effect(number) for number in range(5)))
    asked = [*reversed(keys), "nobody", keys[0]]
    assert [each.idempotency_key for each in outbox.of_keys(engine, asked)] == list(reversed(keys))
    assert outbox.states_of(engine, asked) == dict.fromkeys(keys, "READY")


def test_a_moved_row_is_returned_as_it_is_stored(engine: Engine) -> None:
    enqueue(engine, effect(1))
    (row,) = leases.lease(engine, "erp", "w", NOW, SOON, 1)
    with engine.begin() as db:
        moved = outbox.move(db, row, "SENDING", NOW, {"attempt_count": 1, "may_exist": True})
    assert moved.payload == row.payload
    (stored,) = outbox.rows(engine)
    assert {name: getattr(moved, name) for name in vars(stored)} == vars(stored)
