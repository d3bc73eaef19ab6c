"""While the ERP is away for a day proofs go on coming in: afterwards each is an invoice, once, in the order they came.

``WAYBILL_PROOFS=20000 pytest tests/simulation`` plays as many as the issue asks for (`make simulate`).
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine

from core.settings import Settings
from state.engine import open_state
from tests.simulation import long_outage, outage
from tests.simulation.erp import Clock
from tests.simulation.outage import AwayErp, judged, live_through

PROOFS = int(os.environ.get("WAYBILL_PROOFS", "200"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_state(Settings(home=tmp_path))
    yield engine
    engine.dispose()


def test_after_a_day_without_the_erp_all_is_there_in_order() -> None:
    found = outage.play(PROOFS)
    assert (found.posted, found.doubled, found.lost, found.out_of_order) == (PROOFS, 0, 0, 0)
    assert found.is_kept
    assert found.asked_while_away > 0, "it was never away"


def test_what_is_lost_doubled_or_late_is_found(engine: Engine) -> None:
    """The control: the same day, and an ERP that holds something else afterwards."""
    erp, _ = live_through(engine, 60)
    assert judged(engine, erp, 60).is_kept

    def broken() -> tuple[int, int, int]:
        found = judged(engine, erp, 60)
        assert not found.is_kept
        return found.lost, found.doubled, found.out_of_order

    first = next(iter(erp.documents))
    kept = erp.documents.pop(first)
    assert broken() == (1, 0, 0)
    erp.documents[first] = kept
    erp.documents["twice"] = replace(kept)
    assert broken()[:2] == (0, 1)
    del erp.documents["twice"]
    posted_at = kept.invoice.posted_at
    assert posted_at is not None
    kept.invoice = replace(kept.invoice, posted_at=posted_at + timedelta(days=3))
    assert broken() == (0, 0, 1)


def test_the_erp_goes_away_with_a_request_under_way_that_it_had_done(engine: Engine) -> None:
    erp, _ = live_through(engine, 40)
    assert isinstance(erp, AwayErp) and erp.creates >= 40
    assert set(erp.posted().values()) == {1}


def test_the_long_day_counts_what_is_lost_doubled_or_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Played small, and with so few documents remembered that most are forgotten on the way."""
    monkeypatch.setattr(long_outage, "_KEPT", 20)
    assert long_outage.play(80, tmp_path, every_s=2) == long_outage.Found(80, 0, 0, 0)
    erp = long_outage.BoundedErp(Random(7), Clock(), is_one_step=False)
    for turns, found in (
        ([0, 1, 2], long_outage.Found(3, 0, 0, 0)),
        ([0, 2], long_outage.Found(2, 0, 1, 0)),
        ([0, 1, 1, 2], long_outage.Found(4, 1, 0, 0)),
        ([1, 0, 2], long_outage.Found(3, 0, 0, 1)),
    ):
        erp.turns[:] = array("L", turns)
        assert long_outage.judged(erp, 3) == found
