"""The published SCMS figures come out of the marts, through the connection files alone."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from core.settings import ROOT, Settings
from core.warehouse import open_serving, open_warehouse
from orchestration.run import RunOutcome, run_once

DATA = ROOT.parent / "shared" / "data" / "scms"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real SCMS extract is not at ../shared/data/scms: nothing to compare with"
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home: Path = tmp_path_factory.mktemp("scms")
    return Settings(home=home, connections=ROOT / "connections" / "examples" / "scms")


@pytest.fixture(scope="module")
def outcome(settings: Settings) -> Iterator[RunOutcome]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCMS_DIR", str(DATA))
        yield run_once(settings)


def serving(settings: Settings, query: str) -> tuple[object, ...] | None:
    with open_serving(settings) as marts:
        found: tuple[object, ...] | None = marts.execute(query).fetchone()
    return found


def test_an_extract_alone_runs_without_a_problem(outcome: RunOutcome) -> None:
    assert outcome.problems == []
    assert outcome.push["posted"] == 0


def test_on_time_by_line(settings: Settings, outcome: RunOutcome) -> None:
    assert outcome
    query = (
        "SELECT numerator, denominator FROM marts.kpi_values WHERE metric = 'on_time_rate' "
        "AND variant = 'first_confirmed' AND grain = 'all' AND dimension = 'all'"
    )
    assert serving(settings, query) == (4766, 5261)


def test_on_time_by_advance_shipping_note(settings: Settings, outcome: RunOutcome) -> None:
    assert outcome
    query = (
        "SELECT round(100.0 * avg(CASE WHEN last_delivered < last_promise THEN 1 ELSE 0 END), 2), count(*) FROM "
        "(SELECT max(delivered_at) AS last_delivered, max(promise_ends_at) AS last_promise "
        "FROM marts.fct_shipments GROUP BY parent_shipment_no)"
    )
    assert serving(settings, query) == (90.77, 3802)


def test_from_purchase_order_to_delivery(settings: Settings, outcome: RunOutcome) -> None:
    assert outcome
    query = (
        "SELECT count(*), quantile_disc(days, 0.5), quantile_disc(days, 0.95) FROM "
        "(SELECT (epoch(delivered_at) - epoch(confirmed_at)) / 86400 AS days FROM marts.fct_shipments) "
        "WHERE days IS NOT NULL"
    )
    assert serving(settings, query) == (1998, 85.0, 253.0)


def test_freight_without_the_references(settings: Settings, outcome: RunOutcome) -> None:
    assert outcome
    with open_warehouse(settings, "sum freight") as warehouse:
        found = warehouse.execute(
            "SELECT count(*), sum(amount) FROM canonical.canonical_freight_charges"
        ).fetchone()
    assert found == (3306, Decimal("29518136.5200"))
