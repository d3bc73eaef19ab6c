"""The comparison itself: a small error planted in a copy of the marts is found, and noise of binary numbers is not."""

from __future__ import annotations

import polars as pl
import pytest

from tests.integration.reference.conftest import Sides
from tests.integration.reference.test_marts_agree_with_the_reference import FACT_KEY, FACT_MEASURES, counted
from tests.reference.compare import differences
from tests.reference.values import KEY, MEASURES

METRIC = "order_to_dispatch_s"


def first_row(frame: pl.DataFrame, column: str) -> pl.Expr:
    """True in the first row in which the column is known."""
    known = frame.with_row_index().filter(pl.col(column).is_not_null() & (pl.col("n") > 0))
    return pl.int_range(pl.len()).eq(known["index"][0])


@pytest.mark.parametrize(
    ("column", "error"),
    [
        ("n", 1),
        ("value", 1),
        ("p50", 0.5),
        ("p90", -1),
        ("p95", 1),
        ("n_open", 1),
        ("n_negative", 1),
        ("n_excluded", -1),
    ],
)
def test_a_number_that_is_a_little_off(sides: Sides, column: str, error: float) -> None:
    theirs = sides.mart_values.filter(metric=METRIC)
    wrong = theirs.with_columns(
        pl.when(first_row(theirs, column))
        .then(pl.col(column) + error)
        .otherwise(pl.col(column))
        .alias(column)
    )
    found = differences(sides.values.filter(metric=METRIC), wrong, KEY, MEASURES)
    assert len(found) == 1
    assert found[0].startswith(f"{column} of ")


def test_a_row_that_is_missing_and_one_too_many(sides: Sides) -> None:
    ours, theirs = counted(sides.facts, METRIC), counted(sides.mart_facts, METRIC)
    lost = differences(ours, theirs.slice(1), FACT_KEY, FACT_MEASURES)
    extra = differences(ours.slice(1), theirs, FACT_KEY, FACT_MEASURES)
    assert [len(lost), len(extra)] == [1, 1]
    assert lost[0].startswith("only the reference has")
    assert extra[0].startswith("only the marts have")


def test_a_row_that_stands_elsewhere_or_on_another_day(sides: Sides) -> None:
    ours, theirs = counted(sides.facts, METRIC), counted(sides.mart_facts, METRIC)
    is_first = pl.int_range(pl.len()) == 0
    moved = theirs.with_columns(
        pl.when(is_first).then(pl.lit("moved")).otherwise("standing").alias("standing"),
        pl.when(is_first)
        .then(pl.col("period_date").dt.offset_by("1d"))
        .otherwise("period_date")
        .alias("period_date"),
    )
    found = differences(ours, moved, FACT_KEY, FACT_MEASURES)
    assert [each.split(" of ")[0] for each in found] == ["standing", "period_date"]


def test_the_noise_of_binary_numbers_is_no_error(sides: Sides) -> None:
    noisy = sides.mart_values.filter(metric=METRIC).with_columns(pl.col("p50", "p90", "p95") * (1 + 1e-12))
    assert differences(sides.values.filter(metric=METRIC), noisy, KEY, MEASURES) == []
