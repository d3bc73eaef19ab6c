"""A schedule that did not tick is told once, by whoever lives without Dagster's daemon; one that did, or was stopped, is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from core.settings import Settings
from orchestration.run import prepare_instance
from orchestration.run_processes import held, is_gone
from orchestration.serving import SERVING
from orchestration.ticks import NAME, Watch, overdue

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
ORIGIN = RemoteInstigatorOrigin(
    RemoteRepositoryOrigin(
        InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="orchestration.definitions")), "all"
    ),
    "hourly",
)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    home = prepare_instance(Settings(home=tmp_path))
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


def scheduled(
    instance: dg.DagsterInstance, status: InstigatorStatus = InstigatorStatus.DECLARED_IN_CODE
) -> None:
    """The hourly schedule as the daemon took it up at ten."""
    began = NOON.replace(hour=10).timestamp()
    instance.add_instigator_state(
        InstigatorState(ORIGIN, InstigatorType.SCHEDULE, status, ScheduleInstigatorData("0 * * * *", began))
    )


def ticked(instance: dg.DagsterInstance, hour: int) -> None:
    (state,) = instance.all_instigator_state()
    instance.create_tick(
        TickData(
            instigator_origin_id=state.instigator_origin_id, instigator_name="hourly",
            instigator_type=InstigatorType.SCHEDULE, status=TickStatus.SUCCESS, run_ids=["run"],
            timestamp=NOON.replace(hour=hour).timestamp(), selector_id=state.selector_id,
        )
    )  # fmt: skip


def test_the_tick_that_did_not_come_is_named_and_what_to_do(instance: dg.DagsterInstance) -> None:
    scheduled(instance)
    ticked(instance, 11)
    told = overdue(instance, NOON.replace(minute=11))
    assert list(told) == ["hourly"]
    assert told["hourly"].startswith(
        "the tick of 2026-11-29 12:00 UTC did not come, the last was that of 2026-11-29 11:00"
    )
    assert "waybill up" in told["hourly"]


@pytest.mark.parametrize(("hour", "minute"), [(12, 59), (12, 9), (13, 9)])
def test_one_that_came_or_may_still_come_is_not(instance: dg.DagsterInstance, hour: int, minute: int) -> None:
    scheduled(instance)
    ticked(instance, 12 if minute == 59 or hour == 13 else 11)
    assert overdue(instance, NOON.replace(hour=hour, minute=minute)) == {}


def test_one_that_a_person_stopped_or_that_was_never_taken_up_is_not(instance: dg.DagsterInstance) -> None:
    assert overdue(instance, NOON) == {}
    scheduled(instance, InstigatorStatus.STOPPED)
    assert overdue(instance, NOON.replace(minute=30)) == {}


def test_it_is_told_once_to_dagster_and_once_that_it_is_over(instance: dg.DagsterInstance) -> None:
    scheduled(instance)
    watch = Watch(instance)
    assert watch.look(NOON.replace(hour=10, minute=5)) is None
    silent = watch.look(NOON.replace(minute=11))
    assert silent and watch.look(NOON.replace(minute=12)) is None
    ticked(instance, 12)
    assert watch.look(NOON.replace(minute=13)) == {}
    key = dg.AssetCheckKey(SERVING, NAME)
    told = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    assert [each.status.value for each in told] == ["SUCCEEDED", "FAILED"]


def test_a_process_that_lives_is_not_gone_and_one_that_died_is(tmp_path: Path) -> None:
    assert is_gone(tmp_path, "run") is None
    seen: list[bool | None] = []
    with held(tmp_path, "run"):
        other = threading.Thread(target=lambda: seen.append(is_gone(tmp_path, "run")))
        other.start()
        other.join()
    assert (seen, is_gone(tmp_path, "run")) == ([False], None)
    (tmp_path / "running" / "killed.lock").touch()
    assert is_gone(tmp_path, "killed") is True
