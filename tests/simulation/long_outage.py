"""``python -m tests.simulation.long_outage``: the whole day, 24 hours at twenty proofs a second, with the ERP away all the while.

1,728,000 proofs lie in the state store, on the disk; in memory are three numbers a proof and the ERP's newest documents. Exit 1
unless afterwards each proof is one posted invoice, in the order they came. Belongs here: what makes so long a day bounded. The day
itself, and smaller ones, is ``outage``.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from contracts.outbound import OutboundDocument
from core.settings import Settings
from state.engine import open_state
from tests.simulation.erp import Clock
from tests.simulation.outage import AWAY, RATE, AwayErp, connection_of, live
from tests.simulation.world import row_of

PROOFS = int(AWAY.total_seconds()) * RATE
EVERY_S = 10
"""Seconds of proofs that one push takes."""
_KEPT = 10_000
"""Documents that the ERP still tells of: what was posted and acknowledged long ago is only counted."""
_TELL = 10_000


@dataclass
class BoundedErp(AwayErp):
    """The ERP of ``outage`` that remembers of old documents only that, and in which turn, they were posted."""

    turns: array[int] = field(default_factory=lambda: array("L"))
    """The numbers of the proofs, in the order in which their invoices were posted."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Document → the number of its proof, until it is posted."""

    def _create(self, document: OutboundDocument, at: datetime) -> str:
        if len(self.documents) >= 2 * _KEPT:
            for erp_id in list(self.documents)[:_KEPT]:
                del self.by_key[self.documents.pop(erp_id).invoice.idempotency_key]
        self.asked_for.clear()
        self.numbers[f"SINV-{self._made + 1}"] = int(document.business_id.removeprefix("b-"))
        return super()._create(document, at)

    def _post(self, erp_id: str, at: datetime) -> str:
        if erp_id in self.numbers:
            self.turns.append(self.numbers.pop(erp_id))
            if len(self.turns) % _TELL == 0:
                tell(f"{len(self.turns):,} invoices are posted")
        return super()._post(erp_id, at)


@dataclass(frozen=True)
class Found:
    """What the ERP holds after the day."""

    posted: int
    doubled: int
    lost: int
    out_of_order: int


def judged(erp: BoundedErp, proofs: int) -> Found:
    """What was posted against what came."""
    times = bytearray(proofs)
    for number in erp.turns:
        times[number] = min(times[number] + 1, 255)
    late = sum(earlier > later for earlier, later in zip(erp.turns, erp.turns[1:], strict=False))
    doubled = sum(each - 1 for each in times if each > 1)
    return Found(len(erp.turns), doubled, times.count(0), late)


def coming(proofs: int) -> Iterator[dict[str, Any]]:
    """The rows, each as it is needed."""
    for number in range(proofs):
        if number and number % _TELL == 0:
            tell(f"{number:,} proofs came")
        yield row_of(number)


def tell(what: str) -> None:
    """How far it has come, what it took, and how much memory it has used at most."""
    most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stderr.write(f"{what}: {time.process_time():.0f} s of CPU time, {most_mb:.0f} MB\n")
    sys.stderr.flush()


def play(proofs: int, home: Path, every_s: int = EVERY_S, seed: int = 7) -> Found:
    """The day in a state store under ``home``."""
    random.seed(seed)
    clock = Clock()
    engine = open_state(Settings(home=home))
    try:
        erp = BoundedErp(random.Random(seed), clock, is_one_step=False, is_well=True)
        live(engine, connection_of(), erp, clock, coming(proofs), every_s)
        return judged(erp, proofs)
    finally:
        engine.dispose()


def main() -> int:
    """Play it in a folder that is removed afterwards."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--proofs", type=int, default=PROOFS)
    asked.add_argument("--folder", type=Path, help="where the state store lies while it is played")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        found = play(options.proofs, Path(folder))
    tell(str(found))
    return 0 if found == Found(options.proofs, 0, 0, 0) else 1


if __name__ == "__main__":
    sys.exit(main())
