"""The worker keeps the warehouse open while events keep coming, and gives way to whoever waits for it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml
from filelock import FileLock, Timeout

from core.settings import ROOT, Settings
from core.warehouse import MEMORY_LIMIT, is_waited_for, open_warehouse
from orchestration.event_warehouse import KeptWarehouse

PATIENCE_S = 120.0
WAITER = """
import sys
from pathlib import Path
from core.settings import ROOT, Settings
from core.warehouse import open_warehouse
with open_warehouse(Settings(home=Path(sys.argv[1])), "waiter") as warehouse:
    print(warehouse.execute("SELECT count(*) FROM came").fetchone()[0], flush=True)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    with open_warehouse(settings, "test") as warehouse:
        warehouse.execute("CREATE TABLE came (event INTEGER)")
    return settings


@pytest.fixture
def kept(settings: Settings) -> Iterator[KeptWarehouse]:
    kept = KeptWarehouse(settings)
    yield kept
    kept.let_go()


@contextmanager
def waiter(settings: Settings) -> Iterator[list[int]]:
    """Another process that waits for the warehouse; what it counted in it, once the block is left."""
    counted: list[int] = []
    with subprocess.Popen(
        [sys.executable, "-c", WAITER, str(settings.home)], stdout=subprocess.PIPE
    ) as process:
        deadline = time.monotonic() + PATIENCE_S
        while not is_waited_for(settings):
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.02)
        yield counted
        assert process.stdout
        counted.append(int(process.stdout.readline()))
    assert process.returncode == 0


def batch(settings: Settings, kept: KeptWarehouse, event: int) -> None:
    """What a batch does: it opens for itself what is open already."""
    with kept.batch("batch"), open_warehouse(settings, "build") as warehouse:
        warehouse.execute("INSERT INTO came VALUES (?)", [event])
        warehouse.execute("PRAGMA disable_checkpoint_on_shutdown")


def is_held(settings: Settings) -> bool:
    """Whether another process would have to wait; a lock that is not the process's own is refused to it as well."""
    try:
        with FileLock(settings.root / "warehouse.lock", is_singleton=False).acquire(blocking=False):
            return False
    except Timeout:
        return True


def log_of(settings: Settings) -> Path:
    return settings.warehouse.with_name(f"{settings.warehouse.name}.wal")


def test_it_is_open_from_one_batch_to_the_next(settings: Settings, kept: KeptWarehouse) -> None:
    assert not is_held(settings)
    for event in (1, 2):
        batch(settings, kept, event)
        assert is_held(settings)
    assert log_of(settings).exists()


def test_its_memory_is_bounded_in_every_batch_as_in_dbts_profile(
    settings: Settings, kept: KeptWarehouse
) -> None:
    profile = yaml.safe_load((ROOT / "dbt_project" / "profiles.yml").read_text())
    assert profile["waybill"]["outputs"]["local"]["settings"]["memory_limit"] == MEMORY_LIMIT
    for event in (1, 2):
        batch(settings, kept, event)
        with open_warehouse(settings, "test") as warehouse:
            found = warehouse.execute("SELECT current_setting('memory_limit')").fetchone()
        assert found == ("3.7 GiB",)
        kept.let_go()


def test_at_rest_the_log_is_in_its_place_and_others_may_have_it(
    settings: Settings, kept: KeptWarehouse
) -> None:
    batch(settings, kept, 1)
    kept.rest()
    assert not is_held(settings)
    assert not log_of(settings).exists()
    kept.rest()  # as an idle worker does with every look
    batch(settings, kept, 2)
    with open_warehouse(settings, "test") as warehouse:
        assert warehouse.execute("FROM came").fetchall() == [(1,), (2,)]


def test_who_waits_during_a_batch_has_it_afterwards(settings: Settings, kept: KeptWarehouse) -> None:
    batch(settings, kept, 1)
    with ExitStack() as waits, kept.batch("batch"):
        counted = waits.enter_context(waiter(settings))
    assert counted == [1]
    assert not is_held(settings)


def test_who_waits_between_two_batches_comes_before_the_next(settings: Settings, kept: KeptWarehouse) -> None:
    batch(settings, kept, 1)
    with waiter(settings) as counted:
        batch(settings, kept, 2)
    assert counted == [1], "it saw what the first batch left, and not the second"
    assert is_held(settings)


def test_who_waits_when_it_rests_waits_for_no_checkpoint(settings: Settings, kept: KeptWarehouse) -> None:
    batch(settings, kept, 1)
    with waiter(settings) as counted:
        kept.rest()
    assert counted == [1]
    assert not is_held(settings)


def test_a_batch_that_fails_keeps_nobody_waiting(settings: Settings, kept: KeptWarehouse) -> None:
    batch(settings, kept, 1)
    with pytest.raises(ValueError, match="a model"), kept.batch("batch"):
        raise ValueError("a model")
    assert not is_held(settings)
    batch(settings, kept, 2)
    assert is_held(settings)
