"""The event worker, killed at a named place of what it does: by SIGKILL, so that nothing of its own runs after it.

Belongs here: the places, and starting a worker that dies at the one that is named when it comes by. It is the worker's own
``main``, forked from a process that has imported everything. What has to hold afterwards is the tests'.
"""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial, wraps
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.support.deaths import kill_self

_DESTINATION = "activation.destinations.erp_frappe.FrappeDestination."


@dataclass(frozen=True)
class Place:
    """At the begin of the n-th call of a function, or ``after`` it; of calls alone in which something is about ``of``."""

    function: str
    nth: int = 1
    after: bool = False
    of: str | None = None


BATCH: dict[str, Place] = {
    # Taking up and landing
    "messages read, the warehouse not taken": Place("orchestration.event_warehouse.open_warehouse"),
    "landed, not handed to dlt": Place("ingestion.load.read"),
    # dlt
    "normalized, not committed": Place(
        "dlt.common.storages.load_storage.LoadStorage.commit_new_load_package"
    ),
    "between the staged rows and the merge": Place("dlt.load.load.Load.create_followup_jobs", 2),
    "merged, not yet said to be": Place("dlt.load.load.Load.complete_package"),
    "loaded, not counted": Place("state.ingest_counts.record"),
    # Building
    "the last batch's loads noted": Place("orchestration.event_builds.EventProject._note_done", after=True),
    "amid the canonical models": Place("orchestration.event_statements._run", of="canonical_shipments"),
    "candidates written, not committed": Place(
        "orchestration.event_statements._run", after=True, of="invoice_candidates"
    ),
    "built, the inbox not settled": Place("state.inbox.settle"),
    # Judging
    "settled, not judged": Place("orchestration.event_batch._judged"),
    "the confirmation decided, the invoice not": Place("quality.gate.record", 2),
    "decided, not projected": Place("orchestration.event_batch.project_decisions"),
    # Pushing
    "released, not in the outbox": Place("activation.push.enqueue_all"),
    "in the outbox, nothing sent": Place("activation.push.Pusher.send_due"),
    "the confirmation begun, nothing sent": Place(_DESTINATION + "create", of="Delivery Note"),
    "the confirmation made, a draft": Place(_DESTINATION + "create", after=True, of="Delivery Note"),
    "the confirmation posted, not read back": Place(_DESTINATION + "post", after=True, of="Delivery Note"),
    "the invoice begun, nothing sent": Place(_DESTINATION + "create", of="Sales Invoice"),
    "the invoice made, a draft": Place(_DESTINATION + "create", after=True, of="Sales Invoice"),
    "the invoice posted, not read back": Place(_DESTINATION + "post", after=True, of="Sales Invoice"),
    "acknowledged, the ledger's head not signed": Place("state.heads.sign"),
    # Telling
    "pushed, Dagster not told": Place("orchestration.event_report.Report.tell"),
    # Resting
    "told, the log not yet in its place": Place("orchestration.event_warehouse.KeptWarehouse._give_way", 3),
}
"""In the order in which a batch comes by them. The worker that gets there has built with dbt before, and runs its statements."""
BEGIN: dict[str, Place] = {
    "the views made, no batch begun": Place("orchestration.event_builds.EventProject.prepare", after=True),
    "dbt amid the canonical models": Place("dbt.task.run.ModelRunner.execute", of="canonical_shipments"),
}
"""Of the first batch of a worker, which dbt builds."""
_PRELOAD = (
    "tests.support.worker_deaths",
    "orchestration.worker",
    "dbt.cli.main",
    "dbt.adapters.duckdb.connections",
    "dlt.destinations",
    "great_expectations",
    "quality.gate",
    "activation.push",
    "ingestion.run",
)


class Doom:
    """Where the next worker of a home is to die: nowhere, until it is said; it is told by a file, to whoever runs there."""

    def __init__(self, home: Path) -> None:
        self._file = home / "dies-at"

    def at(self, place: str) -> None:
        self._file.write_text(place, encoding="utf-8")

    def nowhere(self) -> None:
        self._file.unlink(missing_ok=True)

    def is_at(self, place: str) -> bool:
        try:
            return self._file.read_text(encoding="utf-8") == place
        except FileNotFoundError:
            return False


def start(home: Path, environment: Mapping[str, str]) -> BaseProcess:
    """A worker over a home, in a process of its own."""
    process = _context().Process(target=_work, args=(home, dict(environment)))
    process.start()
    return process


def _work(home: Path, environment: Mapping[str, str]) -> None:
    """``python -m orchestration.worker``, which looks up more often: what it waits for here are its own deaths."""
    from orchestration import worker

    os.environ.update(environment)
    log = os.open(home / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    sys.argv = ["orchestration.worker"]
    doom = Doom(home)
    for name, place in {**BATCH, **BEGIN}.items():
        _die_at(place, partial(doom.is_at, name))
    worker.PUSH_EVERY_S = 0.2
    worker.Worker = partial(worker.Worker, tick_s=0.05)  # type: ignore[assignment,misc]
    raise SystemExit(worker.main())


def _die_at(place: Place, is_now: Callable[[], bool]) -> None:
    owner_name, _, attribute = place.function.rpartition(".")
    owner = pkgutil.resolve_name(owner_name)
    real, calls = getattr(owner, attribute), 0

    @wraps(real)
    def dying(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        is_last = False
        if (place.of is None or place.of in _about(arguments)) and is_now():
            calls += 1
            is_last = calls == place.nth
        if is_last and not place.after:
            kill_self()
        answer = real(*arguments, **named)
        if is_last:
            kill_self()
        return answer

    setattr(owner, attribute, dying)


def _about(arguments: tuple[Any, ...]) -> list[object]:
    """What a call is about: a model's name, a document's kind."""
    found: list[object] = []
    for each in arguments:
        found.append(getattr(each, "name", None))
        found.append(getattr(getattr(each, "_kind", None), "doctype", None))
    return found


@lru_cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOAD))
    return context
