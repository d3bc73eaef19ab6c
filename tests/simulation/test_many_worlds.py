"""No invoice twice, none without release, none forgotten: over many seeds of crashes, lost and late answers.

``WAYBILL_SEEDS=20000 pytest tests/simulation`` plays more of them (`make simulate`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.settings import Settings
from state import outbox
from state.engine import open_state
from tests.simulation.erp import WAYS
from tests.simulation.promises import Broken
from tests.simulation.world import DONE, Simulation
from tests.support.postgres import Server

SEEDS = int(os.environ.get("WAYBILL_SEEDS", "1000"))
BLOCK = 250
"""Seeds that one test plays: 45 s of CPU time, and more where people are, where a test may take 600 s."""
BROKE = (5101,)
"""5101: a draft was made, its posting refused, and no list showed it yet: it was made once more, and both were posted."""
MEMORY = Path("/dev/shm")
"""Where a disk is not waited for: what a power cut does to a disk is tested elsewhere."""


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """A state store that is brought to today once, and copied for each seed."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        open_state(Settings(home=Path(folder))).dispose()
        yield Path(folder)


@contextmanager
def a_store(template: Path) -> Iterator[Engine]:
    """A new store, always in the same place: what SQLAlchemy has compiled for the last one is good for this one."""
    home = template / "seed"
    home.mkdir()
    shutil.copy(template / "state.sqlite", home / "state.sqlite")
    engine = _opened(home)
    try:
        yield engine
    finally:
        # No connection to this file is left: the next opens the one that is there then.
        engine.dispose()
        shutil.rmtree(home)


@lru_cache(maxsize=1)
def _opened(home: Path) -> Engine:
    return open_state(Settings(home=home))


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_no_seed_breaks_a_promise(template: Path, first: int) -> None:
    for seed in range(first, min(first + BLOCK, SEEDS)):
        with a_store(template) as engine:
            Simulation(seed, engine).run()


@pytest.mark.parametrize("seed", BROKE)
def test_a_seed_that_once_broke_a_promise_keeps_it(template: Path, seed: int) -> None:
    with a_store(template) as engine:
        Simulation(seed, engine).run()


def test_every_fault_occurs_and_every_end_that_needs_nobody_else(template: Path) -> None:
    ways: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    together: Counter[int] = Counter()
    for seed in range(60):
        with a_store(template) as engine:
            played = Simulation(seed, engine)
            played.run()
            ways += played.erp.ways
            together[played.erp.read_together] += 1
            ends += Counter(row.state for row in outbox.rows(engine))
    assert set(ways) == set(WAYS)
    # What one worker reads back in one call, and in some worlds nothing but one by one.
    assert together[0] and max(together) > 2
    # READY: an invoice whose confirmation people have to decide on.
    assert {"ACKED", "BLOCKED", "DEAD", "READY"} <= set(ends) <= DONE | {"READY"}


def test_without_the_settle_rule_an_invoice_is_posted_twice(template: Path) -> None:
    """The control: a push that looks up and does not wait is found out."""
    for seed in range(200):
        with a_store(template) as engine:
            try:
                Simulation(seed, engine, settle_s=0).run()
            except Broken as found:
                assert "posted invoices under" in str(found)
                return
    pytest.fail("200 seeds did not find it")


def test_without_what_was_seen_a_draft_is_made_again(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the seed that once broke a promise breaks it again."""
    monkeypatch.setattr("activation.endings.Endings.was_seen", lambda *_: False)
    with a_store(template) as engine, pytest.raises(Broken, match="posted invoices under"):
        Simulation(BROKE[0], engine).run()


def test_without_the_look_at_the_standing_decision_what_was_taken_back_is_sent(
    template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a push that does not ask whether the release still stands is found out."""
    monkeypatch.setattr("activation.books._blocked", lambda *_, **__: {})
    for seed in range(200):
        with a_store(template) as engine:
            try:
                Simulation(seed, engine).run()
            except Broken as found:
                assert "was taken back and sent" in str(found)
                return
    pytest.fail("200 seeds did not find it")


def test_what_was_taken_back_is_sent_once_it_is_released_again(template: Path) -> None:
    """The near miss: else the worlds would hold because nothing is ever sent again."""
    for seed in range(200):
        with a_store(template) as engine:
            played = Simulation(seed, engine)
            played.run()
            posted = played.erp.posted()
            if any(posted[key] for key in played.given_again):
                return
    pytest.fail("in 200 seeds nothing came back")


def test_some_seeds_hold_in_postgresql(postgres: Server, tmp_path: Path) -> None:
    for seed in range(10):
        with postgres.database() as url:
            engine = open_state(Settings(home=tmp_path / str(seed), state_url=url))
            Simulation(seed, engine).run()
            engine.dispose()
