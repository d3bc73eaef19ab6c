"""A day without the ERP: proofs go on coming in, twenty a second until there are so many, and nothing can be posted.

The push is the real one with its outbox, breaker and retries, as the worker calls it; the ERP and the clock are those of ``erp``.
Belongs here: playing the day, and what is there afterwards.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine

from activation.destinations.base import Destination as System
from activation.destinations.base import NotAppliedError, UncertainError
from activation.push import Pusher
from activation.result import PushResult
from contracts.outbound import OutboundDocument
from core.connections import Connection, Destination
from core.settings import Settings
from state import decisions, outbox
from state.engine import open_state
from tests.simulation.erp import SETTLE_S, Clock, SimulatedErp
from tests.simulation.promises import Broken
from tests.simulation.world import released, row_of
from tests.support.approved_rules import let_in

PROOFS = 20_000
RATE = 20
"""Proofs a second."""
AWAY = timedelta(hours=24)
WELL = 30
"""Invoices before the ERP goes away: in the middle of this one, which it has made when its answer is lost."""
_LOOK_S = 300
"""How often the push looks once no more proofs come. The worker looks more often, which only costs time here."""
_MOST_LOOKS = 1000
MEMORY = Path("/dev/shm")


class Leaving(System, Protocol):
    """A system that goes away by itself, and comes back when it is told to."""

    is_away: bool


@dataclass
class AwayErp(SimulatedErp):
    """Well, but for the time in which it cannot be reached: refused, or nobody answers. It goes away by itself."""

    is_away: bool = False
    asked_while_away: int = 0

    def _create(self, document: OutboundDocument, at: datetime) -> str:
        erp_id = super()._create(document, at)
        if self.creates == WELL:
            self.is_away = True
            raise UncertainError("The answer was lost.", remedy="Look it up.")
        return erp_id

    def _travel(self) -> None:
        if self.is_away:
            self.asked_while_away += 1
            self.clock.pass_s(0.001)
            if self.rng.random() < 0.5:
                raise NotAppliedError("Nobody listens.", remedy="Wait.")
            raise UncertainError("Nobody answers.", remedy="Wait.")
        self.clock.pass_s(0.02)
        self.settle()


@dataclass(frozen=True)
class Outage:
    """What a day gave. ``out_of_order`` invoices were posted after one whose proof came later."""

    proofs: int
    posted: int
    doubled: int
    lost: int
    out_of_order: int
    asked_while_away: int
    caught_up_after_s: float
    is_kept: bool


def play(proofs: int, seed: int = 7) -> Outage:
    """A day in a state store of its own, in memory where there is such a folder: the disk is not what is asked here."""
    folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    engine = open_state(Settings(home=folder))
    try:
        erp, caught_up_after_s = live_through(engine, proofs, seed)
        return judged(engine, erp, proofs, caught_up_after_s)
    finally:
        engine.dispose()
        shutil.rmtree(folder)


def connection_of() -> Connection:
    """What takes one attempt at a time, so that order can be asked for."""
    return Connection(
        connection="erp", kind="erp", adapter="frappe", owner="finance",
        destination=Destination(settle_s=SETTLE_S, max_concurrency=1),
    )  # fmt: skip


def live_through(engine: Engine, proofs: int, seed: int = 7) -> tuple[AwayErp, float]:
    """The day itself: what the ERP holds after it, and the seconds that catching up took. Broken when it never does."""
    random.seed(seed)
    clock = Clock()
    erp = AwayErp(random.Random(seed), clock, is_one_step=False, is_well=True)
    return erp, live(engine, connection_of(), erp, clock, map(row_of, range(proofs)))


def live(
    engine: Engine,
    connection: Connection,
    erp: Leaving,
    clock: Clock,
    rows: Iterable[Mapping[str, Any]],
    every_s: int = 1,
) -> float:
    """The day of these released rows with any system that goes away by itself: the seconds that catching up took.

    A push takes what came in ``every_s`` seconds.
    """

    def push(some: Sequence[Mapping[str, Any]]) -> None:
        Pusher(engine, connection, erp, PushResult(), now=clock).run(some, patience_s=0.0)

    let_in(engine, "r")
    begun = clock.now
    coming = iter(rows)
    for come in count(1):
        some = list(islice(coming, RATE * every_s))
        if not some:
            break
        decisions.record(engine, [released(dict(row)) for row in some])
        push(some)
        clock.now = max(clock.now, begun + timedelta(seconds=come * every_s))
    while clock.now < begun + AWAY:
        clock.pass_s(_LOOK_S)
        push([])
    erp.is_away = False
    back = clock.now
    _catch_up(engine, connection.connection, clock, push)
    return (clock.now - back).total_seconds()


def _catch_up(
    engine: Engine, name: str, clock: Clock, push: Callable[[Sequence[Mapping[str, Any]]], None]
) -> None:
    for _ in range(_MOST_LOOKS):
        push([])
        if not outbox.unposted(engine, name):
            return
        clock.pass_s(_LOOK_S)
    left = outbox.unacknowledged(engine, name)
    raise Broken(f"{len(left)} invoices are not posted, the first as {left[0].state}: {left[0].last_error}")


def judged(engine: Engine, erp: AwayErp, proofs: int, caught_up_after_s: float = 0.0) -> Outage:
    """What the ERP holds against what came."""
    came = {row.idempotency_key: place for place, row in enumerate(outbox.rows(engine))}
    posted = sorted(
        (each.invoice.posted_at, came[each.invoice.idempotency_key])
        for each in erp.documents.values()
        if each.invoice.posted_at is not None
    )
    latest, late = -1, 0
    for _, place in posted:
        late += place < latest
        latest = max(latest, place)
    keys = {place for _, place in posted}
    doubled, lost = len(posted) - len(keys), proofs - len(keys)
    return Outage(
        proofs, len(keys), doubled, lost, late, erp.asked_while_away, round(caught_up_after_s, 1),
        is_kept=not (doubled or lost or late),
    )  # fmt: skip
