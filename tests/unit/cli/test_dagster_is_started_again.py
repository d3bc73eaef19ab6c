"""Whoever watches `waybill up` is told why Dagster ended, and that it does not stay up when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import up as module
from cli.up import Revivals
from core.errors import WaybillError

DIED = "Exception: dagster-daemon process shut down unexpectedly with return code -9\n"


def test_what_died_is_told_from_what_dagster_logged_since(tmp_path: Path) -> None:
    log = tmp_path / "dagster.log"
    log.write_text(f"INFO Launching\n{DIED}", encoding="utf-8")
    revivals = Revivals(log)
    assert revivals.told(0).startswith(
        "Dagster has ended: its dagster-daemon died (code -9). It is started again (1 of 3"
    )
    with log.open("a", encoding="utf-8") as file:
        file.write("INFO Launching again\n")
    assert "it ended with code 3" in revivals.told(3), "what was told before is not told again"


def test_one_that_does_not_stay_up_ends_the_command_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    revivals = Revivals(tmp_path / "none.log")
    for _ in range(3):
        revivals.told(1)
    with pytest.raises(WaybillError, match="does not stay up: it ended with code 1") as failed:
        revivals.told(1)
    assert "logs/dagster.log" in failed.value.remedy
    now[0] += 601
    assert "(1 of 3" in revivals.told(1), "long ago counts no more"
