"""Processes that do the same thing to one state store at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from threading import BrokenBarrierError
from typing import Any

from core.errors import PermanentFailure
from core.settings import Settings
from state import approvals, leases, ledger
from state.engine import open_state

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
_start: Any = None


def at_once(work: Callable[[Settings, str], Any], settings: Settings, *names: str) -> list[Any]:
    """What each process returns, in the order of their names; all begin when all are there."""
    context = get_context("spawn")
    start = context.Barrier(len(names))
    with ProcessPoolExecutor(len(names), context, initializer=_meet_at, initargs=(start,)) as pool:
        return [each.result() for each in [pool.submit(work, settings, name) for name in names]]


def opens(settings: Settings, name: str) -> str:
    """Open the store, whatever it takes to make it one."""
    _meet()
    open_state(settings).dispose()
    return name


def appends(settings: Settings, name: str) -> None:
    """Fifty rows of the ledger, each in a transaction of its own."""
    engine = open_state(settings)
    _meet()
    for number in range(50):
        with engine.begin() as db:
            ledger.append(db, "sending", name, f"{name}-{number}", {})


def takes(settings: Settings, name: str) -> list[str]:
    """Take rows, a few at a time, until there are none; their keys."""
    engine = open_state(settings)
    taken: list[str] = []
    _meet()
    while some := leases.lease(engine, "erp", name, NOW, NOW + timedelta(minutes=2), 3):
        taken += [each.idempotency_key for each in some]
    return taken


def approves(settings: Settings, name: str) -> str:
    """Answer what is asked about ``b-1``; whose answer counts."""
    engine = open_state(settings)
    _meet()
    try:
        approvals.answer(engine, ("b-1", 1), "granted", name, "seen", NOW)
    except PermanentFailure as error:
        return str(error)
    return "answered"


def _meet_at(start: Any) -> None:
    global _start  # noqa: PLW0603 - a barrier reaches a process only while it starts
    _start = start


def _meet() -> None:
    try:
        _start.wait(timeout=60)
    except BrokenBarrierError as error:
        raise RuntimeError("the other process did not come") from error
