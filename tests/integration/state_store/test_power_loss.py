"""The power fails after any write: the state store opens, what was acknowledged is in it, and its ledger fits together."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core.settings import ROOT, Settings
from state import ledger
from state.engine import open_state, reading
from tests.support.busy_store import INVOICES
from tests.support.power_loss import Event, power_losses, record

MEMORY = Path("/dev/shm")
"""Where the replays need no disk."""


@pytest.fixture
def store() -> Iterator[Path]:
    """A folder with a store that was closed in peace."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        home = Path(folder) / "home"
        open_state(Settings(home=home)).dispose()
        yield home


def recorded(store: Path, *synchronous: str) -> tuple[dict[str, bytes], list[Event]]:
    """The store's files before the work, and what the work did to them and said."""
    before = {str(path): path.read_bytes() for path in store.glob("state.sqlite*")}
    command = [sys.executable, "-m", "tests.support.busy_store", str(store), *synchronous]
    events = record(command, ROOT, store.parent / "trace")
    written = {Path(each.path).name for each in events if each.kind == "write"}
    # Else nothing was carried from the log into the database, which is where most can go wrong.
    assert {"state.sqlite", "state.sqlite-wal"} <= written
    assert sum(each.kind == "say" for each in events) > INVOICES
    return before, [each for each in events if each.path.startswith(str(store)) or each.kind == "say"]


def put(store: Path, files: dict[str, bytes]) -> None:
    shutil.rmtree(store)
    store.mkdir()
    for path, content in files.items():
        Path(path).write_bytes(content)


def found_after(store: Path, files: dict[str, bytes]) -> tuple[int, str | None]:
    """Rows of the ledger and what is wrong with it, once the store is opened again."""
    put(store, files)
    engine = open_state(Settings(home=store))
    try:
        with reading(engine) as db:
            assert db.scalar(text("PRAGMA integrity_check")) == "ok"
        found = ledger.verify(engine)
        return found.rows, found.problem
    finally:
        engine.dispose()


def lost(store: Path, *synchronous: str) -> int:
    """After how many of the power losses something that was acknowledged is missing; nothing else may be wrong."""
    before, events = recorded(store, *synchronous)
    missing = 0
    for said, files in power_losses(store, before, events, random.Random(1)):
        rows, problem = found_after(store, files)
        assert problem is None
        acknowledged = int(said.split()[1]) if said else 0
        missing += rows < acknowledged
    return missing


def test_what_was_acknowledged_outlives_the_power(store: Path) -> None:
    assert lost(store) == 0


def test_without_a_sync_at_each_commit_it_does_not(store: Path) -> None:
    """The control: the same work under ``synchronous = NORMAL`` is found out."""
    assert lost(store, "NORMAL") > 0
