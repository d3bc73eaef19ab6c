"""What is blocked because an attempt at it is under way is judged again once that has ended, and not before, nor for ever."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from core.clock import utc_now
from core.settings import Settings
from orchestration import worker as module
from orchestration.event_batch import Batch
from orchestration.event_doubts import IN_FLIGHT, Doubts
from orchestration.worker import Worker
from state import outbox
from state.engine import open_state
from state.outbox_intake import enqueue_all
from state.outbox_moves import Move, move_all
from tests.unit.orchestration.test_what_dagster_is_told import effect

AS_OF = datetime(2026, 11, 30, 4, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """With one invoice, which is being sent."""
    engine = open_state(Settings(home=tmp_path))
    with engine.begin() as db:
        enqueue_all(db, [effect(1)], utc_now())
    move(engine, "SENDING")
    return engine


def move(engine: Engine, *states: str) -> None:
    for state in states:
        with engine.begin() as db:
            move_all(db, [Move(row, state) for row in outbox.rows(engine)], utc_now())


def blocked(*codes: str, business: str = "S-1") -> Any:
    return SimpleNamespace(business_id=business, codes=codes)


def noted(engine: Engine, *decisions: Any) -> Doubts:
    doubts = Doubts()
    doubts.note(engine, AS_OF, decisions)
    return doubts


def test_both_flows_have_such_a_code() -> None:
    assert {"IN_FLIGHT_UNKNOWN", "CONFIRMATION_IN_FLIGHT"} <= IN_FLIGHT


@pytest.mark.parametrize("code", sorted(IN_FLIGHT))
def test_it_waits_until_the_attempt_has_ended(engine: Engine, code: str) -> None:
    doubts = noted(engine, blocked("PO_MISSING", code))
    assert doubts.over(engine) == []
    move(engine, "UNKNOWN")
    assert doubts.over(engine) == []
    move(engine, "RETRY_WAIT")
    assert doubts.over(engine) == [AS_OF]


def test_what_is_blocked_for_another_reason_is_not_judged_again(engine: Engine) -> None:
    move(engine, "UNKNOWN", "RETRY_WAIT")
    assert noted(engine, blocked("PO_MISSING"), blocked()).over(engine) == []


def test_what_waits_for_a_person_is_not_judged_again_and_again(engine: Engine) -> None:
    doubts = noted(engine, blocked("IN_FLIGHT_UNKNOWN"))
    move(engine, "UNKNOWN", "HELD")
    assert doubts.over(engine) == [AS_OF]
    doubts.note(engine, AS_OF, [blocked("IN_FLIGHT_UNKNOWN")])
    assert doubts.over(engine) == []


def test_the_worker_judges_once_more_and_tells_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    platform: Any = SimpleNamespace(
        engine=engine, destinations=[], connections=[], settings=SimpleNamespace(root=Path())
    )
    told, judged = list[Batch](), list[datetime]()
    worker = Worker(platform, SimpleNamespace(), told.append, lambda _: None, lambda: None)  # type: ignore[arg-type]
    worker._project = SimpleNamespace()  # type: ignore[assignment]

    def result(run_id: str, *codes: str) -> Batch:
        gate: Any = SimpleNamespace(decisions=(blocked(*codes),))
        return Batch(run_id, as_of=AS_OF, gates={"invoice": gate}, settled=1)

    def again(_: Any, as_of: datetime) -> Batch:
        judged.append(as_of)
        return result("events_2")

    now = 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    monkeypatch.setattr(module, "run_batch", lambda *_, **__: result("events_1", "IN_FLIGHT_UNKNOWN"))
    monkeypatch.setattr(module, "judge_again", again)
    worker._batch(is_first=True)
    for state in ("UNKNOWN", "RETRY_WAIT"):
        worker._turn()
        assert judged == []
        now += module.PUSH_EVERY_S
        move(engine, state)
    for _ in range(3):
        worker._turn()
        now += module.PUSH_EVERY_S
    assert judged == [AS_OF]
    assert [each.run_id for each in told] == ["events_1", "events_2"]
