"""The processes of Dagster's runs: each holds a lock as long as it lives, so that one that was killed is known to be gone.

Dagster counts a run whose process was killed as under way for ever, and no other begins meanwhile. Belongs here: holding the
lock, asking for it, and telling Dagster's daemon, which marks such a run as failed and launches it anew (``run_monitoring``
and ``run_retries`` in the installation's ``dagster.yaml``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster import DagsterRun
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from filelock import FileLock, Timeout

_FOLDER = "running"
LONGEST_START_S = 300.0
"""A run that has begun and holds no lock after that long died before it came to it."""


@contextmanager
def held(dagster_home: Path, run_id: str) -> Iterator[None]:
    """Hold the lock of a run while the block runs; the kernel lets go of it when the process is killed."""
    path = _path(dagster_home, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield
    path.unlink(missing_ok=True)


def is_gone(dagster_home: Path, run_id: str) -> bool | None:
    """Whether the process of a run is no more; None when it never held a lock."""
    path = _path(dagster_home, run_id)
    if not path.exists():
        return None
    try:
        FileLock(path).acquire(timeout=0).lock.release()
    except Timeout:
        return False
    return True


def _path(dagster_home: Path, run_id: str) -> Path:
    return dagster_home / _FOLDER / f"{run_id}.lock"


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's own launcher, which can also tell whether a run's process is still there; named in ``dagster.yaml``."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Asked by the daemon of every run that is under way, also of those of ``waybill run``."""
        gone = is_gone(Path(self._instance.root_directory), run.run_id)
        if gone is None:
            began = self._instance.get_run_stats(run.run_id).start_time
            gone = began is not None and time.time() - began > LONGEST_START_S
        if gone:
            return CheckRunHealthResult(
                WorkerStatus.FAILED, "its process is gone: killed, or lost with its machine"
            )
        return CheckRunHealthResult(WorkerStatus.RUNNING)
