"""Every number that the demo's marts publish over all time equals the one that the world itself gives."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

Row = dict[str, Any]
COUNTS = ("n", "numerator", "denominator", "n_open", "n_negative", "n_excluded")
NUMBERS = ("value", "p50", "p90", "p95")
KEY = ("metric", "variant", "currency", "dimension", "dimension_value")
TOTAL = (None, "all", "all")
HAND, OWN = (None, "made_by", "hand"), (None, "made_by", "waybill")
SLACK = {True: 0.002, False: 0.000001}
"""Seconds that a proof's times lose as whole milliseconds; what a rate loses to six decimals."""

COMPARED = [
    ("order_to_dispatch_s", "default", *TOTAL),
    ("order_to_dispatch_s", "net", *TOTAL),
    ("order_to_dispatch_s", "order_first", *TOTAL),
    ("order_to_dispatch_s", "order_last", *TOTAL),
    ("release_to_dispatch_s", "default", *TOTAL),
    ("release_to_dispatch_s", "order_first", *TOTAL),
    ("release_to_dispatch_s", "order_last", *TOTAL),
    ("delivered_to_captured_s", "default", *TOTAL),
    ("captured_to_received_s", "default", *TOTAL),
    ("received_to_released_s", "default", *TOTAL),
    ("released_to_posted_s", "default", *TOTAL),
    ("on_time_rate", "first_confirmed", *TOTAL),
    ("on_time_rate", "last_confirmed", *TOTAL),
    ("on_time_rate", "requested", *TOTAL),
    ("in_full_rate", "default", *TOTAL),
    ("otif_rate", "shipment", *TOTAL),
    ("otif_rate", "order", *TOTAL),
    ("first_pass_gate_rate", "default", *TOTAL),
    *(
        (f"{start}_to_invoice_s", "default", *cut)
        for start in ("pod", "delivery")
        for cut in (TOTAL, HAND, OWN)
    ),
    *(
        (f"{what}_rate", "default", *cut)
        for what in ("same_day_invoice", "invoice_error")
        for cut in (TOTAL, HAND, OWN)
    ),
    *(
        ("invoice_error_rate", reason, *TOTAL)
        for reason in ("cancelled", "credited_in_full", "credited_in_part")
    ),
    *(
        ("unbilled_delivered_amount", "default", currency, "all", "all")
        for currency in (None, "EUR", "JPY", "USD", "XQQ")
    ),
]
CYCLE_TIMES = (
    "order_to_dispatch_s", "release_to_dispatch_s", "pod_to_invoice_s", "delivery_to_invoice_s",
    "delivered_to_captured_s", "captured_to_received_s", "received_to_released_s", "released_to_posted_s",
)  # fmt: skip
HELD_ELSEWHERE = {
    *((metric, "business") for metric in CYCLE_TIMES),
    *(("missed_commitment_rate", promise) for promise in ("first_confirmed", "last_confirmed", "requested")),
    *(("perfect_order_rate", of) for of in ("shipment", "order")),
    ("invoice_before_pod_rate", "default"),
    ("cash_released_amount", "default"),
    ("data_issue_delay_rate", "default"),
    ("exception_resolution_s", "default"),
    ("exception_detection_s", "default"),
    *(
        (f"eta_{measure}", f"h{hours}")
        for measure in ("accuracy_rate", "coverage_rate", "absolute_error_s", "bias_s")
        for hours in (24, 12, 4, 2, 1)
    ),
    *(
        (metric, "default")
        for metric in ("fleet_utilisation_rate", "telemetry_coverage_rate", "loaded_km_share")
    ),
    *((metric, "default") for metric in ("load_factor_rate", "detention_s")),
    ("fleet_utilisation_rate", "heard"),
    ("detention_s", "billable"),
    *(("integration_failure_rate", of) for of in ("default", "technical", "business")),
    ("attempt_failure_rate", "default"),
    ("missed_feed_windows", "default"),
    ("partner_onboarding_s", "default"),
    ("partner_time_to_stable_s", "default"),
    ("manual_touches_per_100_shipments", "default"),
}
"""Metric and variant that the world does not tell; tests of the marts hold them."""


@pytest.fixture(scope="module")
def expected(truth: dict[str, Any]) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[name] for name in KEY): row for row in truth["kpis"]}


@pytest.fixture(scope="module")
def published(first_marts: Path) -> dict[tuple[Any, ...], Row]:
    return rows_of(first_marts)


def rows_of(marts: Path) -> dict[tuple[Any, ...], Row]:
    columns = (*KEY, *COUNTS, *NUMBERS)
    connection = duckdb.connect(str(marts), read_only=True)
    try:
        rows = connection.execute(
            f"SELECT {', '.join(columns)} FROM marts.kpi_values "
            "WHERE grain = 'all' AND dimension IN ('all', 'made_by')"
        ).fetchall()
    finally:
        connection.close()
    return {row[: len(KEY)]: dict(zip(columns, row, strict=True)) for row in rows}


def differences(expected: Row, found: Row) -> dict[str, tuple[Any, Any]]:
    """What was expected and found, of each column in which they differ."""
    slack = SLACK[expected["metric"].endswith("_s")]
    return {name: (expected[name], found[name]) for name in COUNTS if expected[name] != found[name]} | {
        name: (expected[name], found[name])
        for name in NUMBERS
        if not is_same(expected[name], found[name], slack)
    }


def is_same(expected: float | str | list[float] | None, found: float | Decimal | None, slack: float) -> bool:
    """A text is an amount and holds to the last digit; two numbers are the least and the most."""
    if expected is None or found is None:
        return expected is None and found is None
    if isinstance(expected, str):
        return Decimal(expected) == found
    least, most = expected if isinstance(expected, list) else (expected, expected)
    return least - slack <= float(found) <= most + slack


@pytest.mark.parametrize(
    "key",
    COMPARED,
    ids=lambda key: "-".join(str(part) for part in key if part not in (None, "all", "default")),
)
def test_the_number_is_the_one_of_the_world(
    key: tuple[Any, ...],
    expected: dict[tuple[Any, ...], Row],
    published: dict[tuple[Any, ...], Row],
) -> None:
    assert differences(expected[key], published[key]) == {}


def test_no_published_number_is_left_out(
    expected: dict[tuple[Any, ...], Row], published: dict[tuple[Any, ...], Row]
) -> None:
    compared = {*COMPARED}
    assert set(expected) == compared
    told = {key for key in published if key[3] == "all" and key[:2] not in HELD_ELSEWHERE}
    assert told == {key for key in compared if key[3] == "all"}


def test_the_command_line_tells_what_the_marts_hold(
    first: dict[str, Any], published: dict[tuple[Any, ...], Row]
) -> None:
    shown = {
        (each["metric"], each["variant"], each["currency"], "all", "all"): each for each in first["kpis"]
    }
    held = {key: row for key, row in published.items() if key[3] == "all" and row["n"] + row["n_open"]}
    assert set(shown) == set(held)
    for key, row in held.items():
        for name in ("n", *NUMBERS):
            assert shown[key][name] == pytest.approx(None if row[name] is None else float(row[name])), key


def test_the_second_run_changes_no_number(
    second: dict[str, Any], published: dict[tuple[Any, ...], Row]
) -> None:
    assert rows_of(Path(second["paths"]["serving"])) == published


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
