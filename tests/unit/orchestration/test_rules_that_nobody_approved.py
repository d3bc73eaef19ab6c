"""By rules that nobody approved the worker takes up no message and begins nothing: all of it waits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from core.clock import utc_now
from core.errors import ConfigurationError
from core.settings import Settings
from ingestion.events.rests import Rests
from orchestration import event_batch
from orchestration.event_warehouse import KeptWarehouse
from orchestration.worker import Worker
from quality.policy import load_policy
from quality.rules import ruleset
from state import inbox, rulesets
from state.engine import open_state
from state.inbox import Incoming


@pytest.fixture
def platform(tmp_path: Path) -> Any:
    """A store in which a message waits of a partner that has no connection now: so nothing is done about it."""
    engine = open_state(Settings(home=tmp_path))
    message = Incoming("pod", "e1", "api", "proof_of_delivery", "application/json", b"{}", "t", utc_now())
    inbox.accept(engine, [message])
    return SimpleNamespace(engine=engine, connections=[], settings=Settings(home=tmp_path))


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Callable[[], rulesets.Ruleset]:
    """Somebody edits the policy file."""

    def edit() -> rulesets.Ruleset:
        changed = load_policy().model_copy(update={"policy_version": "ours"})
        monkeypatch.setattr("quality.gate.load_policy", lambda: changed)
        return ruleset(changed)

    return edit


def batch(platform: Any) -> event_batch.Batch:
    project: Any = None
    return event_batch.run_batch(platform, project, Rests(), KeptWarehouse(platform.settings), is_first=False)


def let_in(engine: Engine, own: rulesets.Ruleset) -> None:
    rulesets.propose(engine, own, "anna", "ours", utc_now())
    rulesets.answer(engine, own.version, {"flows": own}, "granted", "boris", "seen", utc_now())


def test_no_message_is_taken_up_before_two_people_let_them_in(
    platform: Any, change: Callable[[], rulesets.Ruleset], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = list[object]()
    monkeypatch.setattr(event_batch, "_understood", lambda *_: looked.append(_) or [])
    batch(platform)
    own = change()
    with pytest.raises(ConfigurationError, match="policy_version: "):
        batch(platform)
    assert len(looked) == 1
    assert inbox.waiting(platform.engine) == {"pod": 1}
    let_in(platform.engine, own)
    batch(platform)
    assert len(looked) == 2


def test_a_worker_begins_nothing_before_that(
    platform: Any, change: Callable[[], rulesets.Ruleset], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Begun(Exception):
        """The first thing that a worker does."""

    def begin(*_: object) -> None:
        raise Begun

    monkeypatch.setattr("ingestion.run.ensure_warehouse", begin)
    worker = Worker(platform, Event(), lambda _: None, lambda _: None, lambda: None)
    own = change()
    with pytest.raises(ConfigurationError, match="Nobody approved"):
        worker._turn()
    let_in(platform.engine, own)
    with pytest.raises(Begun):
        worker._turn()
