"""Fault 15, over HTTP: nobody listens at the ERP's address for 24 virtual hours while proofs go on coming in; afterwards its own
books have each once, in the order they came.

``WAYBILL_PROOFS=20000`` plays as many as the fault asks for (``make simulate``), unset 200. The same day in memory, with its control,
is ``tests/simulation``.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from activation.destinations.base import UncertainError
from activation.destinations.erp_frappe import FrappeDestination
from activation.destinations.frappe_rest import FrappeRest
from contracts.invoice import InvoiceDocument
from core.connections import Connection
from core.settings import Settings
from state import outbox
from state.engine import open_state
from tests.integration.activation.conftest import Erp
from tests.simulation.erp import BEGINNING, SETTLE_S, Clock
from tests.simulation.outage import MEMORY, WELL, live
from tests.support.approved_rules import let_in

PROOFS = int(os.environ.get("WAYBILL_PROOFS", "200"))


class AwayErp(FrappeDestination):
    """The sandbox's ERP, until it loses a reply: from then on its address is one where nobody listens."""

    def __init__(self, connection: Connection, nowhere: str) -> None:
        super().__init__(connection)
        self._ways = {
            False: self._rest,
            True: FrappeRest(connection.model_copy(update={"base_url": nowhere})),
        }

    @property
    def is_away(self) -> bool:
        return self._rest is self._ways[True]

    @is_away.setter
    def is_away(self, value: bool) -> None:
        self._rest = self._ways[value]

    def create(self, document: InvoiceDocument) -> str:
        try:
            return super().create(document)
        except UncertainError:
            self.is_away = True
            raise

    def close(self) -> None:
        for each in self._ways.values():
            each.close()


@pytest.fixture
def engine(erp: Erp) -> Iterator[Engine]:
    """In memory where there is such a folder: the disk is not what is asked here."""
    assert erp
    folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    engine = open_state(Settings(home=folder))
    let_in(engine, "r")
    yield engine
    engine.dispose()
    shutil.rmtree(folder)


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address that is taken and refuses every connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def many(released: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many effects as there are proofs, of the orders that the ERP has."""
    return [
        {
            **(row := released[number % len(released)]),
            "business_id": f"{row['business_id']}-{number}",
            "decision_id": f"{row['decision_id']}-{number}",
            "lines_json": row["lines_json"].replace("|goods|", f"|goods{number}|"),
        }
        for number in range(PROOFS)
    ]


@pytest.mark.timeout(600 + PROOFS // 5)
def test_15_down_for_a_day_nothing_is_lost_and_it_is_drained_in_order(
    erp: Erp, engine: Engine, connection: Connection, released: list[dict[str, Any]], nowhere: str
) -> None:
    assert connection.destination
    declared = {"settle_s": SETTLE_S, "enforces_uniqueness": False, "two_step": False, "max_concurrency": 1}
    once = connection.model_copy(update={"destination": connection.destination.model_copy(update=declared)})
    before = len(erp.keyed())
    erp.keep_keys_unique(unique=False)
    erp.plant(kind="drop_reply", method="POST", path="Sales Invoice$", after=WELL - 1)
    system = AwayErp(once, nowhere)
    try:
        live(engine, once, system, Clock(BEGINNING), many(released))
    finally:
        system.close()
    came = [row.idempotency_key for row in outbox.rows(engine)]
    assert len(came) == PROOFS
    ours = set(came)
    found = [each for each in erp.keyed() if each["custom_waybill_key"] in ours]
    assert len(erp.keyed()) - before == len(found) == PROOFS, "lost or doubled"
    assert {each["docstatus"] for each in found} == {1}
    in_turn = [each["custom_waybill_key"] for each in sorted(found, key=lambda each: str(each["name"]))]
    assert in_turn == came
