"""Every number that the demo's marts publish, by each period and dimension, equals the one that the world itself gives."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.world.writing import numbers
from tests.support.cuts import GRAINS
from tests.support.truths import COMPARED, HELD_ELSEWHERE, NUMBERS, Row, differences, keyed, rows_of, told_by

OF_MESSAGES = {"integration_failure_rate", "attempt_failure_rate"}
OF_RUNS = {"integration_failure_rate", "attempt_failure_rate", "missed_feed_windows"}
"""What each run adds to by what it asks, loads and sends."""


@pytest.fixture(scope="module")
def expected(truth: dict[str, Any]) -> dict[tuple[Any, ...], Row]:
    """Every row by each period and dimension, computed again from seed and size."""
    return told_by(numbers(truth["seed"], truth["orders"]))


@pytest.fixture(scope="module")
def published(first_marts: Path) -> dict[tuple[Any, ...], Row]:
    return rows_of(first_marts)


@pytest.mark.parametrize(("metric", "variant"), COMPARED)
def test_the_numbers_are_those_of_the_world(
    metric: str,
    variant: str,
    expected: dict[tuple[Any, ...], Row],
    published: dict[tuple[Any, ...], Row],
) -> None:
    keys = [key for key in expected if key[:2] == (metric, variant)]
    assert keys
    assert set(keys) == {key for key in published if key[:2] == (metric, variant)}
    wrong = {key: found for key in keys if (found := differences(expected[key], published[key]))}
    assert wrong == {}


def test_no_published_number_is_left_out(
    expected: dict[tuple[Any, ...], Row], published: dict[tuple[Any, ...], Row]
) -> None:
    assert {key[:2] for key in expected} == {*COMPARED}
    assert {key[:2] for key in published} - HELD_ELSEWHERE == {*COMPARED}
    assert {key[3] for key in published} == {*GRAINS}


def test_the_messages_of_the_first_run_are_those_of_the_world(
    truth: dict[str, Any], published: dict[tuple[Any, ...], Row]
) -> None:
    told = truth["messages"]
    total = {name: sum(each[name] for each in told.values()) for name in next(iter(told.values()))}
    by_place = {("all", "all"): total} | {("connection", name): each for name, each in told.items()}
    failures = {"default": ("technical", "business"), "technical": ("technical",), "business": ("business",)}
    for place, counts in by_place.items():
        for variant, causes in failures.items():
            row = published["integration_failure_rate", variant, None, "all", None, *place]
            expected = (sum(counts[cause] for cause in causes), counts["due"], counts["waiting"])
            assert (row["numerator"], row["denominator"], row["n_open"]) == expected, (place, variant)
        row = published["attempt_failure_rate", "default", None, "all", None, *place]
        assert (row["numerator"], row["denominator"]) == (counts["failed_tries"], counts["tries"]), place
    assert {key[6] for key in published if key[0] in OF_MESSAGES and key[5] == "connection"} == {*told}


def test_the_truth_file_holds_the_same_numbers(
    truth: dict[str, Any], expected: dict[tuple[Any, ...], Row]
) -> None:
    told = {keyed(row): row for row in truth["kpis"]}
    assert told == {key: expected[key] for key in told}
    assert {key[:2] for key in told} == {*COMPARED}


def test_the_command_line_tells_what_the_marts_hold(
    first: dict[str, Any], published: dict[tuple[Any, ...], Row]
) -> None:
    total = ("all", None, "all", "all")
    shown = {(each["metric"], each["variant"], each["currency"], *total): each for each in first["kpis"]}
    held = {key: row for key, row in published.items() if key[3:] == total and row["n"] + row["n_open"]}
    assert set(shown) == set(held)
    for key, row in held.items():
        for name in ("n", *NUMBERS):
            assert shown[key][name] == pytest.approx(None if row[name] is None else float(row[name])), key


def test_the_second_run_changes_no_number(
    second: dict[str, Any], published: dict[tuple[Any, ...], Row]
) -> None:
    """But for those that count the messages of the runs themselves."""
    again = rows_of(Path(second["paths"]["serving"]))
    for rows in (again, published):
        assert {key[0] for key in rows} > OF_RUNS
    assert {key: row for key, row in again.items() if key[0] not in OF_RUNS} == {
        key: row for key, row in published.items() if key[0] not in OF_RUNS
    }


PUBLISHED: Row = {
    "metric": "x_s", "n": 2, "numerator": None, "denominator": None, "value": Decimal("60.5"),
    "p50": 60.5, "p90": None, "p95": None, "n_open": 1, "n_negative": 0, "n_excluded": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, set()),
        ({"p50": 60.501}, set()),
        ({"p50": 60.504}, {"p50"}),
        ({"p50": [60.0, 60.5]}, set()),
        ({"p50": [60.0, 60.4]}, {"p50"}),
        ({"p90": 60.5}, {"p90"}),
        ({"value": "60.50"}, set()),
        ({"value": "60.51"}, {"value"}),
        ({"n_open": 0}, {"n_open"}),
        ({"metric": "x_rate", "value": 0.605, "p50": 60.501}, {"value", "p50"}),
    ],
)
def test_a_difference_is_seen_and_a_lost_millisecond_is_none(changes: Row, wrong: set[str]) -> None:
    expected = {**PUBLISHED, "value": "60.5", **changes}
    assert set(differences(expected, PUBLISHED)) == wrong
