"""What an earlier push left is sent again whatever lies in the inbox, and not oftener than it need be."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from orchestration import worker as module
from orchestration.event_batch import Batch
from orchestration.worker import Worker


class Turns:
    """A worker whose inbox and batches are given; ``pushed`` counts its pushes of what is due."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, waiting: dict[str, int], settled: int, *, is_due: bool
    ) -> None:
        self.pushed, self.batches, self.now = 0, 0, 1000.0
        platform: Any = SimpleNamespace(engine=None, destinations=[SimpleNamespace(connection="erp")])
        self.worker = Worker(platform, threading.Event(), lambda _: None, lambda: None)
        self.worker._project = SimpleNamespace()  # type: ignore[assignment]
        monkeypatch.setattr(module.inbox, "waiting", lambda _: waiting)
        monkeypatch.setattr(module.outbox, "is_due", lambda *_: is_due)
        monkeypatch.setattr(module, "run_batch", lambda *_, **__: self._batch(settled))
        monkeypatch.setattr(module, "push_rows", lambda *_, **__: self._push())
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)

    def _batch(self, settled: int) -> Batch:
        self.batches += 1
        return Batch("events_1", settled=settled)

    def _push(self) -> None:
        self.pushed += 1

    def turn(self) -> bool:
        return self.worker._turn()


@pytest.mark.parametrize(("waiting", "settled"), [({}, 0), ({"gone": 1}, 0), ({"crm": 9}, 9)])
def test_what_is_due_is_pushed(
    monkeypatch: pytest.MonkeyPatch, waiting: dict[str, int], settled: int
) -> None:
    turns = Turns(monkeypatch, waiting, settled, is_due=True)
    assert turns.turn() is (settled > 0)
    assert (turns.pushed, turns.batches) == (1, int(bool(waiting)))


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
