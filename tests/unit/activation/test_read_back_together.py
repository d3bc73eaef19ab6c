"""Posted invoices are read back a few in a call, and one that is not told there keeps no other waiting."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from activation import wave
from activation.destinations.base import PostedInvoice, UncertainError
from activation.push import Pusher
from activation.result import PushResult
from contracts.outbound import OutboundDocument
from core.connections import Connection, Destination
from core.settings import Settings
from state import decisions, ledger, outbox
from state.engine import open_state
from tests.simulation.erp import Clock, SimulatedErp
from tests.simulation.world import released, row_of
from tests.support.approved_rules import let_in

ROWS = 5


class Listing(SimulatedErp):
    """Well; tells how many were read in each call, leaves ``unlisted`` out of a list, and may fail."""

    unlisted: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    list_fails = False
    slow = timedelta(0)

    def __init__(self, clock: Clock) -> None:
        super().__init__(random.Random(1), clock, is_one_step=False, is_well=True)
        self.lists: list[int] = []
        self.alone: list[str] = []

    def post(self, erp_id: str, document: OutboundDocument) -> None:
        super().post(erp_id, document)
        self.clock.now += self.slow

    def read_back_all(self, erp_ids: Sequence[str]) -> dict[str, PostedInvoice]:
        self.lists.append(len(erp_ids))
        if self.list_fails:
            raise UncertainError("The list was cut.", remedy="Wait.")
        found = super().read_back_all(erp_ids)
        return {erp_id: each for erp_id, each in found.items() if erp_id not in self.unlisted}

    def read_back(self, erp_id: str) -> PostedInvoice:
        self.alone.append(erp_id)
        if erp_id in self.unreadable:
            raise UncertainError("The answer was cut.", remedy="Wait.")
        return super().read_back(erp_id)

    def _travel(self) -> None:
        """No time passes on the way."""


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    return open_state(Settings(home=tmp_path, state_url=state_url))


@pytest.fixture
def erp() -> Listing:
    return Listing(Clock())


def sent(engine: Engine, erp: Listing) -> Counter[str]:
    """Push five rows, one at a time; how many ended in which state."""
    connection = Connection(
        connection="erp", kind="erp", adapter="frappe", owner="finance",
        destination=Destination(settle_s=60, max_concurrency=1),
    )  # fmt: skip
    pusher = Pusher(engine, connection, erp, PushResult(), now=erp.clock)
    rows = [row_of(number) for number in range(ROWS)]
    let_in(engine, "r")
    decisions.record(engine, [released(row) for row in rows])
    pusher.enqueue(rows)
    assert pusher.send_due() == ROWS
    assert ledger.verify(engine).problem is None
    assert set(erp.posted().values()) == {1}
    return Counter(row.state for row in outbox.rows(engine))


def test_what_was_posted_is_read_in_one_call(engine: Engine, erp: Listing) -> None:
    assert sent(engine, erp) == {"ACKED": ROWS}
    assert (erp.lists, erp.alone) == ([ROWS], [])


def test_what_the_list_does_not_tell_is_asked_for_alone(engine: Engine, erp: Listing) -> None:
    erp.unlisted = frozenset({"SINV-2"})
    assert sent(engine, erp) == {"ACKED": ROWS}
    assert erp.alone == ["SINV-2"]


def test_a_list_that_fails_costs_a_call_each_and_no_invoice(engine: Engine, erp: Listing) -> None:
    erp.list_fails = True
    assert sent(engine, erp) == {"ACKED": ROWS}
    assert len(erp.alone) == ROWS


def test_one_that_cannot_be_read_is_doubted_and_no_other(engine: Engine, erp: Listing) -> None:
    erp.unlisted = erp.unreadable = frozenset({"SINV-2"})
    assert sent(engine, erp) == {"ACKED": ROWS - 1, "UNKNOWN": 1}


def test_no_more_wait_than_a_crash_may_leave(
    engine: Engine, erp: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wave, "_READ_TOGETHER", 2)
    assert sent(engine, erp) == {"ACKED": ROWS}
    assert (erp.lists, len(erp.alone)) == ([2, 2], 1)


def test_none_waits_for_others_at_a_slow_destination(engine: Engine, erp: Listing) -> None:
    erp.slow = timedelta(seconds=2)
    assert sent(engine, erp) == {"ACKED": ROWS}
    assert (erp.lists, len(erp.alone)) == ([], ROWS)
