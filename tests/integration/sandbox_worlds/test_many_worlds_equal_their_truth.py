"""Twenty small worlds of the sandbox, each through the platform by itself: every published number is the one its world tells.

The demo's world is compared by ``tests/e2e/test_kpis_equal_the_truth.py`` in the same way, and with everything around it.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

import ingestion.ledger
import ingestion.run
import quality.gate
from sandbox.world.writing import make, numbers_of
from tests.support.sandbox_worlds import PlainLoader, Script, play, replace_plainly, script
from tests.support.truths import COMPARED, differences, rows_of, told_by

FIRST = int(os.environ.get("WAYBILL_WORLDS_SEED", "20261101"))
"""Try other worlds with another one: ``WAYBILL_WORLDS_SEED=7 pytest tests/integration/sandbox_worlds``."""
WORLDS = int(os.environ.get("WAYBILL_WORLDS", "20"))
"""What CI asks of each change plays fewer; `make test` plays them all."""
ORDERS = 24


@pytest.fixture(scope="module")
def built_by(tmp_path_factory: pytest.TempPathFactory) -> Script:
    return script(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def met() -> Counter[tuple[str, str]]:
    """How many rows of each metric and variant the worlds had."""
    return Counter()


@pytest.fixture
def _plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingestion.run, "Loader", PlainLoader)
    monkeypatch.setattr(ingestion.ledger, "replace_tables", replace_plainly)
    monkeypatch.setattr(quality.gate, "write_page", lambda *_: None)  # a page that nobody opens


@pytest.mark.usefixtures("_plainly")
@pytest.mark.parametrize("seed", range(FIRST, FIRST + WORLDS))
def test_every_number_of_a_world_is_the_one_it_tells(
    seed: int, built_by: Script, met: Counter[tuple[str, str]], tmp_path: Path
) -> None:
    made = make(seed, ORDERS)
    expected = told_by(numbers_of(made, ORDERS))
    published = rows_of(play(built_by, made, tmp_path, seed, ORDERS))
    assert {key for key in published if key[:2] in {*COMPARED}} == {*expected}
    wrong = {key: found for key in expected if (found := differences(expected[key], published[key]))}
    assert wrong == {}
    met.update(key[:2] for key in expected)


def test_every_metric_was_met(met: Counter[tuple[str, str]]) -> None:
    assert {*met} == {*COMPARED}
