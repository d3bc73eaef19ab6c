"""The published Olist figures come out of the marts, through the connection files alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import ROOT, Settings
from core.warehouse import open_serving
from orchestration.run import RunOutcome, run_once

DATA = ROOT.parent / "shared" / "data" / "olist" / "dev_slice"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real Olist extract is not at ../shared/data/olist: nothing to compare with"
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home: Path = tmp_path_factory.mktemp("olist")
    return Settings(home=home, connections=ROOT / "connections" / "examples" / "olist")


@pytest.fixture(scope="module")
def outcome(settings: Settings) -> Iterator[RunOutcome]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_DIR", str(DATA))
        yield run_once(settings)


def row(settings: Settings, metric: str, variant: str, columns: str) -> tuple[object, ...] | None:
    with open_serving(settings) as marts:
        found: tuple[object, ...] | None = marts.execute(
            f"SELECT {columns} FROM marts.kpi_values "
            "WHERE metric = ? AND variant = ? AND grain = 'all' AND dimension = 'all'",
            [metric, variant],
        ).fetchone()
    return found


def test_an_extract_alone_runs_without_a_problem(outcome: RunOutcome) -> None:
    assert outcome.problems == []
    assert outcome.push["posted"] == 0


def test_approved_to_carrier(settings: Settings, outcome: RunOutcome) -> None:
    assert outcome
    found = row(settings, "order_to_dispatch_s", "default", "n, n_negative, p50, p90, p95")
    assert found == (1678, 14, 153_841.0, 535_143.0, 702_782.0)


def test_on_time_with_the_promise_as_a_date(settings: Settings, outcome: RunOutcome) -> None:
    assert outcome
    assert row(settings, "on_time_rate", "first_confirmed", "numerator, denominator") == (1281, 1375)
