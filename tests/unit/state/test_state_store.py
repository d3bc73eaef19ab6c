"""What the state store promises: durable settings, one state machine, a ledger nobody edits."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from core.errors import PermanentFailure
from core.settings import Settings
from state import dead_letters, decisions, ingest_counts, leases, ledger, observations, outbox
from state.dead_letters import DeadLetter
from state.engine import open_state
from state.outbox_moves import LostToAnother
from state.transitions import STATES, TAKEN_BACK, TRANSITIONS
from tests.support.guards import unguarded

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, state_url: SecretStr | None) -> Settings:
    return Settings(home=tmp_path, state_url=state_url)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = open_state(settings)
    yield engine
    engine.dispose()


def effect(number: int = 1, **changes: Any) -> outbox.NewEffect:
    fields: dict[str, Any] = {
        "company": "WBDE",
        "destination": "erp",
        "operation": "invoice",
        "business_id": f"S-{number}",
        "revision": 1,
        "shipment_no": f"S-{number}",
        "decision_id": "d",
        "payload": b"{}",
        "payload_hash": "p",
        "content_hash": "c",
        "input_hash": "i",
        "amount": Decimal("1.10"),
        "currency": "EUR",
        "charge_keys": (f"S-{number}|1",),
    }
    return outbox.NewEffect(**(fields | changes))


def enqueue(engine: Engine, new: outbox.NewEffect) -> str:
    with engine.begin() as db:
        return outbox.enqueue(db, new, NOW)


def letter(**changes: Any) -> DeadLetter:
    fields: dict[str, Any] = {
        "connection": "erp",
        "kind": "erp",
        "resource": "orders",
        "source_id": "O-1",
        "order_ref": "O-1",
        "shipment_ref": None,
        "reason": "CURRENCY_INVALID",
        "detail": "EURO",
        "raw": b"{}",
        "raw_sha256": "a" * 64,
        "trace_id": "t",
        "run_id": "r",
        "status": "open",
        "received_at": NOW,
    }
    return DeadLetter(**(fields | changes))


def test_the_store_survives_a_power_cut(engine: Engine) -> None:
    promised = {"PRAGMA journal_mode": "wal", "PRAGMA synchronous": 2, "PRAGMA recursive_triggers": 1}
    if engine.dialect.name == "postgresql":
        promised = {"SHOW fsync": "on", "SHOW full_page_writes": "on", "SHOW synchronous_commit": "on"}
    with engine.connect() as db:
        assert {asked: db.scalar(text(asked)) for asked in promised} == promised


def test_opening_again_changes_nothing(engine: Engine, settings: Settings) -> None:
    enqueue(engine, effect())
    assert len(outbox.rows(open_state(settings))) == 1


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_the_database_knows_the_state_machine(engine: Engine, before: str, after: str) -> None:
    enqueue(engine, effect())
    with engine.begin() as db, unguarded(db, "outbox"):
        db.execute(text("UPDATE outbox SET state = :state"), {"state": before})
    # What was cancelled is taken back by two people's word alone, and nobody has given it here.
    is_legal = after == before or (after in TRANSITIONS[before] and (before, after) != TAKEN_BACK)
    refused = False
    with suppress(DBAPIError), engine.begin() as db:
        refused = True
        db.execute(text("UPDATE outbox SET state = :state"), {"state": after})
        refused = False
    assert refused is not is_legal


def test_a_state_that_is_none_is_refused(engine: Engine) -> None:
    enqueue(engine, effect())
    with pytest.raises(DBAPIError), engine.begin() as db:
        db.execute(text("UPDATE outbox SET state = 'POSTED'"))


def test_an_effect_is_enqueued_once(engine: Engine) -> None:
    assert enqueue(engine, effect()) == "new"
    assert enqueue(engine, effect()) == "known"
    assert len(outbox.rows(engine)) == 1


def test_what_was_never_sent_may_change(engine: Engine) -> None:
    enqueue(engine, effect())
    assert enqueue(engine, effect(content_hash="other", payload_hash="q")) == "refreshed"
    assert outbox.rows(engine)[0].payload_hash == "q"


def test_what_may_exist_there_may_not_change(engine: Engine) -> None:
    enqueue(engine, effect())
    with engine.begin() as db:
        db.execute(text("UPDATE outbox SET may_exist = true"))
    assert enqueue(engine, effect(content_hash="other", payload_hash="q")) == "changed"
    assert outbox.rows(engine)[0].payload_hash == "p"


def test_no_line_is_billed_by_two_invoices(engine: Engine) -> None:
    enqueue(engine, effect(1))
    with pytest.raises(PermanentFailure, match="Another invoice bills"):
        enqueue(engine, effect(2, charge_keys=("S-1|1", "S-2|1")))
    assert len(outbox.rows(engine)) == 1


def test_a_row_is_leased_to_one_worker(engine: Engine) -> None:
    for number in range(4):
        enqueue(engine, effect(number))
    until = NOW + timedelta(minutes=2)
    first = leases.lease(engine, "erp", "a", NOW, until, 2)
    second = leases.lease(engine, "erp", "b", NOW, until, 9)
    assert len(first) == len(second) == 2
    assert not {row.idempotency_key for row in first} & {row.idempotency_key for row in second}


def test_the_loser_of_a_lease_cannot_move_the_row(engine: Engine) -> None:
    enqueue(engine, effect())
    slow = leases.lease(engine, "erp", "slow", NOW, NOW, 1)[0]
    leases.lease(engine, "erp", "quick", NOW, NOW + timedelta(minutes=2), 1)
    with pytest.raises(LostToAnother), engine.begin() as db:
        outbox.move(db, slow, "SENDING", NOW)


def test_nobody_edits_or_cuts_the_ledger(engine: Engine) -> None:
    enqueue(engine, effect())
    for statement in ("UPDATE ledger SET actor = 'x'", "DELETE FROM ledger", "DELETE FROM outbox"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as db:
            db.execute(text(statement))
    assert ledger.verify(engine).first_bad is None


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [("UPDATE ledger SET actor = 'x' WHERE sequence = 2", 2), ("DELETE FROM ledger WHERE sequence = 2", 2)],
)
def test_an_edit_behind_the_trigger_is_found(engine: Engine, statement: str, first_bad: int) -> None:
    for number in range(3):
        enqueue(engine, effect(number))
    with engine.begin() as db, unguarded(db, "ledger"):
        db.execute(text(statement))
    assert ledger.verify(engine).first_bad == first_bad


def test_a_dead_letter_is_kept_once(engine: Engine) -> None:
    assert dead_letters.record(engine, [letter(), letter()]) == 1
    assert dead_letters.record(engine, [letter()]) == 0
    assert dead_letters.open_reasons(engine) == ({"O-1": {"CURRENCY_INVALID"}}, {})


def test_a_parked_row_is_resolved_or_grows_too_old(engine: Engine) -> None:
    waiting = [letter(reason="UNKNOWN_PARENT", status="parked", raw_sha256=each * 64) for each in "bc"]
    dead_letters.record(engine, waiting)
    dead_letters.resolve(engine, [waiting[0].dead_letter_id])
    dead_letters.expire(engine, [waiting[1].dead_letter_id])
    assert dead_letters.parked(engine, "erp", "orders") == []
    assert [each.reason for each in dead_letters.with_status(engine, "open")] == ["UNKNOWN_PARENT"]


def test_counts_that_do_not_add_up_are_refused(engine: Engine) -> None:
    good = ingest_counts.IngestCount("erp", "raw_erp", "orders", 4, 1, 1, 1, 1)
    ingest_counts.record(engine, "run", [good])
    assert ingest_counts.of_run(engine, "run") == [good]
    with pytest.raises(DBAPIError):
        ingest_counts.record(
            engine, "run", [ingest_counts.IngestCount("erp", "raw_erp", "items", 5, 1, 1, 1, 1)]
        )


def test_business_time_follows_the_sources(engine: Engine) -> None:
    wall = datetime.now(UTC)
    assert abs(observations.business_now(engine) - wall) < timedelta(seconds=30)
    observations.record(engine, "erp", "erp", True, wall, wall - timedelta(days=10))
    assert abs(observations.business_now(engine) - (wall - timedelta(days=10))) < timedelta(seconds=30)
    observations.record(engine, "erp", "erp", False, wall, None, "down", "look")
    found = observations.latest(engine)[0]
    assert (found.ok, found.error, found.last_ok_at) == (False, "down", wall)


def test_an_instant_without_a_zone_is_a_mistake(engine: Engine) -> None:
    with pytest.raises(Exception, match="without a zone"):
        dead_letters.record(engine, [letter(received_at=datetime(2026, 11, 13))])


def test_an_equal_decision_is_no_news(engine: Engine) -> None:
    decision = decisions.Decision(
        decision_id="d1", business_id="S", revision=1, company_id=None, order_no=None, shipment_no="S",
        customer_id=None, verdict="blocked", codes=("POD_MISSING",), warnings=(), reasons=[], input_hash="i",
        content_hash="c", ruleset_version="r", policy_version="p", as_of=NOW, decided_at=NOW,
        amount=Decimal("0.10"), currency="EUR", run_id="run", is_first_evaluation=True,
    )  # fmt: skip
    assert decisions.record(engine, [decision]) == 1
    assert decisions.record(engine, [decision]) == 0
    assert decisions.latest(engine)["S", 1] == decision


def test_an_instant_of_the_sources_is_an_instant_of_this_machine(engine: Engine) -> None:
    """The clock's distance is the one that held then, not the one of a later answer."""
    hour = timedelta(hours=1)
    assert observations.machine_time(engine, NOW) == NOW
    observations.record(engine, "erp", "erp", True, NOW, NOW + 2 * hour)
    observations.record(engine, "pod", "pod", False, NOW, NOW + 9 * hour)
    observations.record(engine, "erp", "erp", True, NOW + 5 * hour, NOW + 5 * hour + 30 * hour)
    assert observations.machine_time(engine, NOW + 3 * hour) == NOW + hour
    assert observations.machine_time(engine, NOW + 36 * hour) == NOW + 6 * hour


def test_what_the_sources_clock_said_at_an_instant_is_the_same_whenever_it_is_asked(engine: Engine) -> None:
    hour = timedelta(hours=1)
    asked = [NOW - hour, NOW + hour, NOW + hour, NOW + 6 * hour, NOW + 5 * hour]
    assert observations.business_times(engine, []) == []
    assert observations.business_times(engine, asked) == asked
    observations.record(engine, "erp", "erp", True, NOW, NOW + 2 * hour)
    observations.record(engine, "pod", "pod", False, NOW, NOW + 9 * hour)
    observations.record(engine, "erp", "erp", True, NOW + 5 * hour, NOW + 35 * hour)
    told = [NOW - hour, NOW + 3 * hour, NOW + 3 * hour, NOW + 36 * hour, NOW + 35 * hour]
    assert observations.business_times(engine, asked) == told
    # A later answer, of a clock that was put right, changes nothing of what was before it.
    observations.record(engine, "erp", "erp", True, NOW + 7 * hour, NOW + 7 * hour)
    assert observations.business_times(engine, asked) == told
    assert observations.business_times(engine, asked[1:2]) == told[1:2]
