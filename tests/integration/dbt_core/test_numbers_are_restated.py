"""What late news does to numbers of days that are over, run after run over one warehouse."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.dbt_core.conftest import Row
from tests.support.deliveries import World, moved
from tests.support.warehouse import create_raw_tables, query, run_dbt

pytestmark = pytest.mark.long

_ALL = "+int_kpi_facts_published"
_NEWS = ("news_until", *(f"{_ALL},{each}+" for each in ("stg_dispatch__actions", "stg_pod__proofs")))
"""What later runs build again: all that hangs on the tables in which something arrives."""
_KEY = "metric, variant, unit, currency, grain, period_start, dimension, dimension_value, version"


def publish(path: Path, day: int, *more: str, models: tuple[str, ...] = _NEWS) -> None:
    result = run_dbt(
        path,
        "run",
        "--select",
        *models,
        *more,
        as_of=f"2026-11-{day:02d}T09:00:00+00:00",
    )
    assert result.success, result.exception or [
        (each.node.name, each.message) for each in result.result if str(each.status) != "success"
    ]


def restated(path: Path, day: int, metric: str | None = None) -> list[Row]:
    """What the run as of that day restated; of one metric: its number of 12 November in all."""
    of = f"restated_at = '2026-11-{day:02d} 09:00:00+00'"
    if metric:
        of += (
            f" AND metric = '{metric}' AND variant = 'default' AND grain = 'day' AND dimension = 'all'"
            " AND period_start = '2026-11-12'"
        )
    return query(path, f"SELECT * FROM marts.kpi_restatements WHERE {of} ORDER BY {_KEY}")


class News(World):
    """Rows that arrive on a day."""

    def __init__(self, day: int) -> None:
        self.arrived_at = datetime(2026, 11, day, 8, tzinfo=UTC)
        super().__init__()
        self.rows.clear()

    def add(self, kind: str, resource: str, /, **fields: Any) -> None:
        arrival = {"ingested_at": self.arrived_at, "source_version": self.arrived_at}
        super().add(kind, resource, **(fields | arrival))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs as of the 16th to the 20th: the first numbers, nothing new, a late delivery and a proof that replaces
    another, an answer about last week, a full refresh, and a run in the middle of which a worker builds a late delivery."""
    path = tmp_path_factory.mktemp("restated") / "warehouse.duckdb"
    create_raw_tables(path)
    world = World()
    for name in ("first", "second"):
        world.delivery(name)
    for name in ("late", "meanwhile"):
        world.order(f"O{name}")
        world.shipment(f"S{name}", f"O{name}", handover=None)
    world.write(path)
    assert run_dbt(path, "seed").success
    publish(path, 16, models=(_ALL,))
    publish(path, 17)
    late = News(18)
    late.action("Slate-hand", "Slate", "handOver", "succeeded", datetime(2026, 11, 12, 15, tzinfo=UTC))
    late.proof("Plate", "Slate")
    late.write(path)
    publish(path, 18)
    corrected = News(19)
    corrected.proof("Pfirst-2", "Sfirst", moved("Ofirst-1", "3"), supersedes_id="Pfirst",
                    outcome="partiallySucceeded")  # fmt: skip
    corrected.write(path)
    publish(path, 19)
    publish(path, 14)
    publish(path, 20, "--full-refresh")
    publish(path, 21, models=("news_until", "+kpi_facts"))
    meanwhile = News(21)
    meanwhile.action(
        "Smeanwhile-hand", "Smeanwhile", "handOver", "succeeded", datetime(2026, 11, 12, 15, tzinfo=UTC)
    )
    meanwhile.proof("Pmeanwhile", "Smeanwhile")
    meanwhile.write(path)
    publish(path, 21, models=("+canonical_shipments", "+canonical_proofs_of_delivery"))
    publish(path, 21, "--exclude", "+kpi_facts", "news_until", models=(_ALL,))
    publish(path, 22)
    return path


def test_a_run_with_nothing_new_restates_nothing(history: Path) -> None:
    assert restated(history, 16) == restated(history, 17) == []


def test_a_late_delivery_restates_its_day_once_and_is_named(history: Path) -> None:
    [row] = restated(history, 18, "in_full_rate")
    assert (row["value_before"], row["value_after"]) == (1, 1)
    assert (row["n_before"], row["n_after"]) == (2, 3)
    assert (row["cause"], row["entity_count"], row["entities"]) == ("late event", 1, "Slate")
    assert row["published_before_at"] == datetime(2026, 11, 16, 9, tzinfo=UTC)
    assert row["version"] == 2


def test_only_what_arrived_is_named_and_nothing_is_taken_for_another_definition(history: Path) -> None:
    rows = restated(history, 18)
    assert {row["entities"] for row in rows} <= {"Slate", "Olate"}
    assert {row["cause"] for row in rows + restated(history, 19)} == {"late event", "correction"}


def test_a_proof_that_replaces_another_is_a_correction(history: Path) -> None:
    [row] = restated(history, 19, "in_full_rate")
    assert (row["numerator_before"], row["numerator_after"]) == (3, 2)
    assert row["value_after"] == Decimal("0.666667")
    assert (row["cause"], row["entities"], row["version"]) == ("correction", "Sfirst", 3)


def test_an_answer_about_last_week_restates_nothing(history: Path) -> None:
    assert restated(history, 14) == []


def test_a_full_refresh_forgets_no_restatement_and_makes_none(history: Path) -> None:
    assert restated(history, 20) == []
    assert restated(history, 18)
    assert restated(history, 19)


def test_what_came_in_while_a_run_went_on_is_late_for_the_next(history: Path) -> None:
    """Nothing arrives after that, and no definition has changed."""
    assert restated(history, 21) == []
    [row] = restated(history, 22, "in_full_rate")
    assert (row["n_before"], row["n_after"]) == (3, 4)
    assert (row["cause"], row["entities"]) == ("late event", "Smeanwhile")


def test_a_day_that_goes_on_is_not_final(history: Path) -> None:
    assert query(
        history,
        "SELECT 1 FROM marts.kpi_restatements"
        " WHERE grain = 'all' OR period_start >= CAST(published_before_at AS DATE)",
    ) == []  # fmt: skip
