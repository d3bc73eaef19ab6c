"""What an earlier push left is sent again whatever lies in the inbox, and not oftener than it need be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from core.errors import WaybillError
from orchestration import worker as module
from orchestration.event_batch import Batch
from orchestration.event_report import report_failure
from orchestration.gate_assets import DECISIONS
from orchestration.worker import Worker


class Turns:
    """A worker whose inbox and batches are given; ``pushed`` counts its pushes of what is due."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, waiting: dict[str, int], settled: int, *, is_due: bool
    ) -> None:
        self.pushed, self.batches, self.caught_up, self.now = 0, 0, 0, 1000.0
        self.told = list[Batch]()
        live = [SimpleNamespace(connection=each, lifecycle="production") for each in ("erp", "crm")]
        retired = SimpleNamespace(connection="gone", lifecycle="retired")
        platform: Any = SimpleNamespace(
            engine=None,
            destinations=live[:1],
            connections=[*live, retired],
            settings=SimpleNamespace(root=Path()),
        )
        self.stop, self.failures = threading.Event(), list[Exception]()
        self.worker = Worker(
            platform, self.stop, self.told.append, self.failures.append, lambda: None, tick_s=0.0
        )
        self.worker._project = SimpleNamespace()  # type: ignore[assignment]
        monkeypatch.setattr(module.inbox, "waiting", lambda _: waiting)
        monkeypatch.setattr(module.outbox, "is_due", lambda *_: is_due)
        monkeypatch.setattr(module, "run_batch", lambda *_, **__: self._batch(settled))
        monkeypatch.setattr(module, "push_due", lambda _: self._push())
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)

    def _batch(self, settled: int) -> Batch:
        self.batches += 1
        return Batch("events_1", settled=settled)

    def _push(self) -> Batch:
        self.pushed += 1
        return Batch("events_2", caught_up=self.caught_up)

    def turn(self) -> bool:
        return self.worker._turn()


@pytest.mark.parametrize(
    ("waiting", "settled"), [({}, 0), ({"gone": 1}, 0), ({"crm": 9}, 9), ({"crm": 9, "gone": 1}, 9)]
)
def test_what_is_due_is_pushed(
    monkeypatch: pytest.MonkeyPatch, waiting: dict[str, int], settled: int
) -> None:
    turns = Turns(monkeypatch, waiting, settled, is_due=True)
    assert turns.turn() is (settled > 0)
    assert (turns.pushed, turns.batches) == (1, int("crm" in waiting))


@pytest.mark.parametrize(("caught_up", "told"), [(2, ["events_2"]), (0, [])])
def test_what_was_posted_late_is_told_and_a_push_that_posted_nothing_is_not(
    monkeypatch: pytest.MonkeyPatch, caught_up: int, told: list[str]
) -> None:
    turns = Turns(monkeypatch, {}, 0, is_due=True)
    turns.caught_up = caught_up
    turns.turn()
    assert [each.run_id for each in turns.told] == told


def test_it_is_not_asked_for_at_every_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(monkeypatch, {"crm": 9}, 9, is_due=True)
    for _ in range(3):
        turns.turn()
    assert turns.pushed == 1
    turns.now += module.PUSH_EVERY_S
    turns.turn()
    assert turns.pushed == 2


def test_nothing_due_is_nothing_pushed(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(monkeypatch, {}, 0, is_due=False)
    assert turns.turn() is False and turns.pushed == 0


def test_what_nobody_foresaw_ends_a_batch_and_not_the_worker(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    turns = Turns(monkeypatch, {"crm": 1}, 1, is_due=False)
    endings: list[BaseException | None] = [
        ZeroDivisionError("a slip"),
        WaybillError("no", remedy="wait"),
        None,
    ]

    def batch(*_: object, **__: object) -> Batch:
        ending = endings.pop(0)
        if ending is None:
            turns.stop.set()
            return Batch("events_3", settled=1)
        raise ending

    monkeypatch.setattr(module, "run_batch", batch)
    # Beginning anew: what the failed batch loaded is built by a first batch.
    begun: list[int] = []
    monkeypatch.setattr(turns.worker, "_begin", lambda: begin(turns, begun))
    monkeypatch.setattr(turns.worker, "_failed", failing_after(turns.failures))
    turns.worker.run()
    assert [type(each) for each in turns.failures] == [ZeroDivisionError, WaybillError]
    assert begun == [1, 1] and endings == []
    assert "a slip" in caplog.text and "Traceback" in caplog.text
    assert "Dagster could not be told" in caplog.text


def begin(turns: Turns, begun: list[int]) -> None:
    begun.append(1)
    turns.worker._project = SimpleNamespace()  # type: ignore[assignment]


def failing_after(heard: list[Exception]) -> Callable[[Exception], None]:
    """Hears, and then fails itself, as a Dagster whose disk is full."""

    def hear(error: Exception) -> None:
        heard.append(error)
        raise OSError(28, "No space left on device")

    return hear


def test_what_ends_the_process_is_not_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(monkeypatch, {"crm": 1}, 1, is_due=False)

    def batch(*_: object, **__: object) -> Batch:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "run_batch", batch)
    with pytest.raises(KeyboardInterrupt):
        turns.worker.run()
    assert turns.failures == []


def test_a_partner_that_is_gone_is_named_once_and_again_when_it_comes_back_and_goes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = {"gone": 1}
    turns = Turns(monkeypatch, waiting, 0, is_due=False)
    for _ in range(3):
        turns.turn()
    assert caplog.text.count("messages of gone wait") == 1
    waiting["other"] = 2
    turns.turn()
    assert (caplog.text.count("messages of gone wait"), caplog.text.count("messages of other wait")) == (1, 1)
    waiting.clear()
    turns.turn()
    waiting["gone"] = 1
    turns.turn()
    assert caplog.text.count("messages of gone wait") == 2


def test_a_message_that_waits_is_named_once_for_each_reason(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    turns = Turns(monkeypatch, {"crm": 1}, 0, is_due=False)
    why = ["a photo", "a photo", "a signature"]
    monkeypatch.setattr(
        module, "run_batch", lambda *_, **__: Batch("events_1", postponed={"msg_1": why.pop(0)})
    )
    for _ in range(3):
        turns.turn()
    said = [each.getMessage() for each in caplog.records]
    assert said == ["message msg_1 waits: a photo", "message msg_1 waits: a signature"]


@pytest.mark.parametrize(
    ("error", "why"),
    [(WaybillError("no room", remedy="wait"), "no room"), (KeyError("secret"), "KeyError, unforeseen")],
)
def test_a_batch_that_failed_is_a_red_check_in_dagster(error: Exception, why: str) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        report_failure(instance, error)
        key = dg.AssetCheckKey(DECISIONS, "batch")
        (told,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=2)
        assert told.event is not None and told.event.dagster_event is not None
        found = told.event.dagster_event.asset_check_evaluation_data
        assert not found.passed and str(found.metadata["worker"].value).startswith(why)
        assert "secret" not in str(found.metadata)
