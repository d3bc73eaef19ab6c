"""Processes that read a small dispatch system and are killed in the middle of it.

Belongs here: the system's rows, where a process may die, and starting it. What has to hold afterwards is the tests'.
Each process is forked from one that has imported everything, and dies by SIGKILL: nothing of its own is run after it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from functools import lru_cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from core.connections import Connection
from core.settings import Settings
from state.engine import open_state

EXTRACT: dict[str, tuple[str, int]] = {
    "landing the second batch": ("ingestion.run.land", 2),
    "handing the second batch to dlt": ("ingestion.load.read", 2),
}
NORMALIZE: dict[str, tuple[str, int]] = {
    "at its begin": ("dlt.normalize.normalize.Normalize.spool_schema_files", 1),
    "written, not yet committed": ("dlt.common.storages.load_storage.LoadStorage.commit_new_load_package", 1),
}
LOAD: dict[str, tuple[str, int]] = {
    "before its third job": ("dlt.load.load.Load.w_run_job", 3),
    "between the staged rows and the merge": ("dlt.load.load.Load.create_followup_jobs", 2),
    "merged, not yet said to be": ("dlt.load.load.Load.complete_package", 1),
    "done, not yet written into the file": ("ingestion.load.checkpoint", 1),
}
"""By step of dlt: place → the function at the begin of whose n-th call the process dies."""
_TOKEN = "DEATHS_TOKEN"


def dispatch(url: str) -> Connection:
    """The connection that is read."""
    os.environ[_TOKEN] = "hush"
    return Connection(
        connection="fleet", kind="dispatch", adapter="otm5", owner="tests", base_url=url, secrets={"token": _TOKEN}
    )  # fmt: skip


def consignment(number: int, day: int = 12, status: str = "accepted") -> dict[str, Any]:
    """A parent with two children, as it was changed on a day of November."""
    lines = [
        {"id": f"G-{number}-{line}", "quantity": line, "externalAttributes": {"orderLineId": f"L-{number}-{line}", "itemCode": "I", "uom": "pcs"}}
        for line in (1, 2)
    ]  # fmt: skip
    goods = [{"associationType": "inline", "entity": {"entityType": "goods", **each}} for each in lines]
    own = {"orderId": f"O-{number}"}
    when = f"2026-11-{day:02}T09:00:00Z"
    return {
        "id": f"C-{number}",
        "lastModified": when,
        "status": status,
        "goods": goods,
        "externalAttributes": own,
    }


def ended(target: Callable[..., None], *arguments: Any) -> int:
    """Run a function in a process of its own to its end; the exit code, negative when a signal ended it."""
    process = _context().Process(target=target, args=arguments)
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def read_and_die(home: Path, url: str, place: str) -> None:
    """One reading, in a process of its own, that gets no further than a place."""
    from ingestion.run import ensure_warehouse, ingest

    settings = Settings(home=home)
    engine = open_state(settings)
    ensure_warehouse(settings, engine)
    _die_at(*(EXTRACT | NORMALIZE | LOAD)[place])
    ingest(settings, engine, dispatch(url), "killed")


def kill_self() -> None:
    """End this process as ``kill -9`` does."""
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


def _die_at(name: str, nth: int) -> None:
    import pkgutil

    owner_name, _, attribute = name.rpartition(".")
    owner = pkgutil.resolve_name(owner_name)
    real, calls = getattr(owner, attribute), 0

    def dying(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth:
            kill_self()
        return real(*arguments, **named)

    setattr(owner, attribute, dying)


@lru_cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.support.deaths", "ingestion.run", "dlt", "ingestion.dispatch.otm5"]
    )
    return context
