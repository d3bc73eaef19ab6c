"""The definitions that docs/metrics.md is written from are also a table beside the numbers."""

from __future__ import annotations

from pathlib import Path

from cli.docs import read_metrics
from tests.support.warehouse import query


def test_the_table_says_what_the_page_says(empty_marts: Path) -> None:
    table = {row["metric"]: row for row in query(empty_marts, "SELECT * FROM marts.dim_metrics")}
    defined = {each.name: each for each in read_metrics()}
    assert set(table) == set(defined)
    for name, metric in defined.items():
        row = table[name]
        assert (row["formula"], row["aggregation"]) == (metric.formula, metric.how)
        assert (row["scope"], row["edges"]) == (metric.scope, (metric.edges or "").strip())
        assert row["variants"].split() == list(metric.variants)
        assert row["entities"].split() == list(metric.entities)


def test_a_number_that_hangs_on_a_setting_shows_its_value(empty_marts: Path) -> None:
    rows = query(empty_marts, "SELECT metric, settings FROM marts.dim_metrics WHERE settings <> ''")
    assert {row["metric"]: row["settings"] for row in rows} == {
        "cash_released_amount": "baseline_days_to_invoice = 5"
    }
