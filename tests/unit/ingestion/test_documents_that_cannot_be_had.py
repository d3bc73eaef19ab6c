"""A partner's system that does not answer, or whose secret is not set, postpones its own messages and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from core.connections import Connection
from core.errors import ConfigurationError
from core.settings import Settings
from ingestion.base import SourceFailure
from ingestion.events import understanding as module
from ingestion.events.mapping import Mapper
from ingestion.events.rests import FIRST_S, LONGEST_S, Rests
from ingestion.events.understanding import Understood, understand
from orchestration import event_batch, event_warehouse
from state import inbox
from state.engine import open_state
from state.inbox import Incoming

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
PARTNER = Connection(
    connection="partner", kind="pod", adapter="onfleet", owner="delivery-operations", as_of=NOW,
    base_url="http://127.0.0.1:9", secrets={"api_key": "A_SECRET_THAT_IS_NOT_SET"},
)  # fmt: skip


@dataclass
class Phone:
    """Onfleet in the place of its adapter: which messages asked, and which get no answer."""

    silent: set[str]
    asked: list[str] = field(default_factory=list)
    source_clock: datetime | None = None

    def close(self) -> None:
        """Nothing to close."""

    def document(self, name: str) -> None:
        self.asked.append(name)
        if name in self.silent:
            raise SourceFailure(f"no answer for {name}", remedy="wait")
        self.source_clock = NOW


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = open_state(settings)
    yield engine
    engine.dispose()


def send(engine: Engine, *names: str) -> None:
    for each in names:
        message = Incoming(
            "partner", each, "webhook", "webhook:onfleet", "application/json", b"{}", each, NOW
        )
        inbox.accept(engine, [message])


def need_a_document(monkeypatch: pytest.MonkeyPatch, phone: Phone | None) -> None:
    """Each message whose id is not ``plain`` needs one; without a phone the true adapter is opened."""

    def rows(self: Mapper, message: inbox.Message) -> list[Any]:
        if message.event_id != "plain":
            opened: Any = self._open_onfleet()
            opened.document(message.event_id)
        return []

    monkeypatch.setattr(Mapper, "rows", rows)
    if phone is not None:
        monkeypatch.setattr(module, "OnfleetAdapter", lambda *_: phone)


def had(engine: Engine, understood: Understood) -> list[str]:
    names = {each.message_id: each.event_id for each in inbox.unsettled(engine, "partner", 100)}
    return [names[each] for each in understood.rows]


def test_a_system_that_does_not_answer_is_asked_once_and_then_left_alone_ever_longer(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(engine, "a", "b", "c", "plain")
    phone, now = Phone({"a", "b", "c"}), [1000.0]
    need_a_document(monkeypatch, phone)
    rests = Rests(lambda: now[0])
    for at, asked in [(0.0, 1), (FIRST_S - 0.1, 1), (FIRST_S, 2), (2 * FIRST_S, 2), (3 * FIRST_S, 3)]:
        now[0] = 1000.0 + at
        understood = understand(settings, engine, PARTNER, 100, rests)
        assert (had(engine, understood), len(understood.postponed)) == (["plain"], 3)
        assert len(phone.asked) == asked
    phone.silent.clear()
    now[0] += LONGEST_S
    assert sorted(had(engine, understand(settings, engine, PARTNER, 100, rests))) == ["a", "b", "c", "plain"]


def test_one_document_that_cannot_be_had_does_not_keep_those_behind_it(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(engine, "bad", "good", "better")
    phone, now = Phone({"bad"}), [1000.0]
    need_a_document(monkeypatch, phone)
    rests = Rests(lambda: now[0])
    assert had(engine, understand(settings, engine, PARTNER, 100, rests)) == []
    now[0] += FIRST_S
    understood = understand(settings, engine, PARTNER, 100, rests)
    assert had(engine, understood) == ["good", "better"]
    assert list(understood.postponed.values()) == ["no answer for bad"]
    assert phone.asked == ["bad", "good", "better", "bad"]
    # Its system has answered in between, so it is left alone no longer than the first time.
    send(engine, "late")
    now[0] += FIRST_S
    assert "late" in had(engine, understand(settings, engine, PARTNER, 100, rests))
    assert phone.asked.count("bad") == 2


def test_a_secret_that_is_not_set_postpones_what_needs_it(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(engine, "a", "plain")
    need_a_document(monkeypatch, None)
    understood = understand(settings, engine, PARTNER, 100, Rests())
    assert had(engine, understood) == ["plain"]
    assert list(understood.postponed.values()) == ["The secret A_SECRET_THAT_IS_NOT_SET is not set."]
    assert not understood.refused


def test_a_secret_that_the_connection_file_does_not_name_postpones_what_needs_it_and_says_so(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(engine, "a", "plain")
    need_a_document(monkeypatch, None)
    unnamed = PARTNER.model_copy(update={"secrets": {}})
    understood = understand(settings, engine, unnamed, 100, Rests())
    assert had(engine, understood) == ["plain"]
    assert list(understood.postponed.values()) == ["partner: the secret api_key has no name."]
    assert not understood.refused


def test_a_setting_of_ours_that_is_wrong_is_nobody_s_message(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(engine, "plain")

    def rows(*_: object) -> Any:
        raise ConfigurationError("wrong", remedy="mend it")

    monkeypatch.setattr(Mapper, "rows", rows)
    with pytest.raises(ConfigurationError):
        understand(settings, engine, PARTNER, 100, Rests())


@pytest.mark.parametrize("is_silent", [True, False])
def test_the_warehouse_is_not_held_while_a_system_is_asked(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, *, is_silent: bool
) -> None:
    send(engine, "a")
    phone = Phone({"a"} if is_silent else set())
    need_a_document(monkeypatch, phone)

    class HeldError(Exception):
        pass

    def hold(*_: object, **__: object) -> Any:
        # The document was asked for before; who asks for the warehouse has something to put into it.
        assert phone.asked == ["a"]
        raise HeldError

    monkeypatch.setattr(event_warehouse, "open_warehouse", hold)
    kept = event_warehouse.KeptWarehouse(settings)
    platform: Any = SimpleNamespace(settings=settings, engine=engine, connections=[PARTNER])
    project: Any = SimpleNamespace()
    if is_silent:
        batch = event_batch.run_batch(platform, project, Rests(), kept, is_first=False)
        assert (batch.settled, list(batch.postponed.values())) == (0, ["no answer for a"])
    else:
        with pytest.raises(HeldError):
            event_batch.run_batch(platform, project, Rests(), kept, is_first=False)
