"""``python -m orchestration.worker``: the long-lived process of the event path, which drains the inbox.

Belongs here: when a batch begins, what happens when one fails, and ending. What a batch is: ``event_batch``.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import dagster as dg

from core.clock import utc_now
from core.disk import told_when_full
from core.errors import WaybillError
from core.settings import get_settings
from ingestion.events.rests import Rests
from orchestration.event_batch import Batch, judge_again, push_due, run_batch
from orchestration.event_builds import EventProject
from orchestration.event_doubts import Doubts
from orchestration.event_report import Report, report_failure
from orchestration.event_warehouse import KeptWarehouse
from orchestration.platform import Platform
from orchestration.run import prepare_instance
from orchestration.ticks import Watch
from state import inbox, outbox

if TYPE_CHECKING:
    from types import FrameType

TICK_S = 1.0
"""How often an idle worker looks into the inbox."""
PUSH_EVERY_S = 5.0
"""How often it looks for invoices that an earlier push left to be sent again."""
LOOK_EVERY_S = 60.0
"""How often it looks whether Dagster's schedules tick."""
LONGEST_PAUSE_S = 60.0
log = logging.getLogger("waybill.worker")


class Worker:
    """Batches, one after the other, until ``stop`` is set.

    ``told`` hears of every batch that did something and of what was posted late, ``failed`` of everything that ended one; ``look`` is called every
    minute, whatever becomes of the batches.
    """

    def __init__(
        self,
        platform: Platform,
        stop: threading.Event,
        told: Callable[[Batch], None],
        failed: Callable[[Exception], None],
        look: Callable[[], None],
        tick_s: float = TICK_S,
    ) -> None:
        self._platform, self._stop, self._told, self._tick_s = platform, stop, told, tick_s
        self._failed = failed
        self._waits = Once()
        self._rests = Rests()
        self._doubts = Doubts()
        self._kept = KeptWarehouse(platform.settings)
        self._project: EventProject | None = None
        self._look = look
        self._pushed_at = self._looked_at = 0.0

    def run(self) -> None:
        """Work until stopped. A failure is told and tried again after a pause that doubles up to a minute.

        Also one that nobody foresaw: the messages are there still, and whoever else waits must not wait for a programmer.
        """
        pause = self._tick_s
        while not self._stop.is_set():
            try:
                if time.monotonic() - self._looked_at >= LOOK_EVERY_S:
                    self._looked_at = time.monotonic()
                    self._look()
                with told_when_full(self._platform.settings.root):
                    is_busy = self._turn()
                pause = self._tick_s
            except Exception as error:  # noqa: BLE001
                self._kept.let_go()
                self._tell(error)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                is_busy = False
            if not is_busy:
                self._stop.wait(pause)
        self._kept.let_go()

    def _tell(self, error: Exception) -> None:
        if isinstance(error, WaybillError):
            log.error("%s", error)
        else:
            log.error("unforeseen; nothing is lost, and it is tried again", exc_info=error)
        try:
            self._failed(error)
        # Who cannot be told keeps no event waiting; the log has it all.
        except Exception:
            log.exception("Dagster could not be told of it")

    def _turn(self) -> bool:
        """Do what there is to do; whether there may be more at once."""
        if self._project is None:
            self._begin()
            return False
        is_busy = self._has_work() and self._batch(is_first=False).settled > 0
        if not is_busy:
            self._kept.rest()
        # Also beside messages that cannot be settled now, or that lead to no invoice: they must not keep others waiting.
        self._push_what_is_due()
        return is_busy

    def _has_work(self) -> bool:
        """Whether a partner's message waits; what is of nobody any more waits for its connection to come back."""
        waiting = inbox.waiting(self._platform.engine)
        live = {each.connection for each in self._platform.connections if each.lifecycle != "retired"}
        for partner in self._waits.news("partner", {each: each for each in waiting.keys() - live}):
            log.error("messages of %s wait: no live connection has this name", partner)
        return bool(waiting.keys() & live)

    def _begin(self) -> None:
        from ingestion.run import ensure_warehouse
        from quality.gate import approved_policy
        from quality.runtime import import_gx

        # Before anything that takes long: by rules that nobody approved it begins nothing.
        approved_policy(self._platform.engine)
        ensure_warehouse(self._platform.settings, self._platform.engine)
        project = EventProject(self._platform)
        project.prepare()
        import_gx()
        self._project = project
        self._batch(is_first=True)
        self._kept.rest()
        # Everything that stays is here now: who looks for garbage need not look through it with every batch.
        gc.collect()
        gc.freeze()
        note = {"pid": os.getpid(), "ready_at": utc_now().isoformat()}
        self._platform.settings.worker_note.write_text(json.dumps(note), encoding="utf-8")
        log.info("ready: events are taken in")

    def _batch(self, *, is_first: bool) -> Batch:
        assert self._project is not None
        try:
            batch = run_batch(self._platform, self._project, self._rests, self._kept, is_first=is_first)
        except Exception:
            # What it loaded is built by a first batch alone; the models may be others by now too.
            self._project = None
            raise
        for message_id in self._waits.news("message", batch.postponed):
            log.warning("message %s waits: %s", message_id, batch.postponed[message_id])
        self._note_doubts(batch)
        if batch.settled or batch.models:
            self._told(batch)
        return batch

    def _note_doubts(self, batch: Batch) -> None:
        if batch.as_of is not None:
            decisions = [each for gate in batch.gates.values() for each in gate.decisions]
            self._doubts.note(self._platform.engine, batch.as_of, decisions)

    def _push_what_is_due(self) -> None:
        if time.monotonic() - self._pushed_at < PUSH_EVERY_S:
            return
        self._pushed_at = time.monotonic()
        engine, now = self._platform.engine, utc_now()
        if any(outbox.is_due(engine, each.connection, now) for each in self._platform.destinations):
            pushed = push_due(self._platform)
            # While a system is down nothing of it is news every few seconds.
            if pushed.caught_up:
                self._told(pushed)
        for as_of in self._doubts.over(engine):
            judged = judge_again(self._platform, as_of)
            self._note_doubts(judged)
            self._told(judged)


class Once:
    """What was said already, so that a worker that looks every second says it once."""

    def __init__(self) -> None:
        self._said: dict[str, dict[str, str]] = {}

    def news(self, what: str, stands: Mapping[str, str]) -> list[str]:
        """The names that were not there before, or for another reason; what is gone is forgotten."""
        before, self._said[what] = self._said.get(what, {}), dict(stands)
        return sorted(name for name, why in stands.items() if before.get(name) != why)


def main() -> int:
    """Work until SIGINT or SIGTERM; a batch that is under way is finished."""
    argparse.ArgumentParser(prog="orchestration.worker", description=__doc__).parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("great_expectations", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    settings, stop = get_settings(), threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, end)
    with dg.DagsterInstance.from_config(str(prepare_instance(settings))) as instance:
        watch, report = Watch(instance), Report(instance)

        def look() -> None:
            told = watch.look(utc_now())
            if told is not None:
                for schedule, problem in told.items():
                    log.error("schedule %s: %s", schedule, problem)
                if not told:
                    log.info("every schedule ticks again")

        def tell(batch: Batch) -> None:
            log.info("%s: %d messages, %s", batch.run_id, batch.settled, _told(batch))
            report.tell(batch)

        settings.worker_note.unlink(missing_ok=True)
        Worker(Platform(settings), stop, tell, partial(report_failure, instance), look).run()
        settings.worker_note.unlink(missing_ok=True)
    return 0


def _told(batch: Batch) -> str:
    push = batch.push
    if batch.caught_up:
        return f"{batch.caught_up} posted that had waited, {batch.unposted} not posted yet"
    posted = f"{push.posted} posted, {push.failed} failed, {push.held} held" if push else "nothing to bill"
    steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in batch.seconds.items())
    return f"{posted}; {steps}"


if __name__ == "__main__":
    raise SystemExit(main())
