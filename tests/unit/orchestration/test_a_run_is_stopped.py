"""Ctrl-C while the one job runs in this process: it ends the command and not only the step."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from core.settings import Settings
from orchestration import run
from orchestration.jobs import ORDER_TO_INVOICE


def _stopped() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def _broken() -> None:
    raise ValueError("the ERP said no")


def _job_of(work: Callable[[], None]) -> Callable[[Settings], dg.Definitions]:
    @dg.op
    def step() -> None:
        work()

    @dg.job(name=ORDER_TO_INVOICE)
    def job() -> None:
        step()

    return lambda _: dg.Definitions(jobs=[job])


def test_what_ctrl_c_ends_does_not_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "build_definitions", _job_of(_stopped))
    with pytest.raises(KeyboardInterrupt):
        run.run_once(Settings(home=tmp_path))


def test_a_step_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "build_definitions", _job_of(_broken))
    assert run.run_once(Settings(home=tmp_path)).problems == ["step: ValueError: the ERP said no"]
