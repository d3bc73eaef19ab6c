"""The sandbox's truth beside published numbers: what is compared, by which key, and how near is equal.

Belongs here: reading both sides and telling where they differ. Expectations of a world are the tests'.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from tests.support.cuts import is_published

Row = dict[str, Any]
COUNTS = ("n", "numerator", "denominator", "n_open", "n_negative", "n_excluded")
NUMBERS = ("value", "p50", "p90", "p95")
KEY = ("metric", "variant", "currency", "grain", "period_start", "dimension", "dimension_value")
SLACK = {"s": 0.002, "rate": 0.000001, "share": 0.000001, "amount": 0.02, "shipments": 0.000001}
"""Seconds that a proof's times lose as whole milliseconds; what a rate loses to six decimals; rounding of money a day."""

CYCLE_TIMES = (
    "order_to_dispatch_s", "release_to_dispatch_s", "pod_to_invoice_s", "delivery_to_invoice_s",
    "delivered_to_captured_s", "captured_to_received_s", "received_to_released_s", "released_to_posted_s",
)  # fmt: skip
OF_ETAS = ("accuracy_rate", "absolute_error_s", "bias_s")
COMPARED = [
    *((metric, variant) for metric in CYCLE_TIMES for variant in ("default", "business")),
    ("order_to_dispatch_s", "net"),
    ("order_to_dispatch_s", "order_first"),
    ("order_to_dispatch_s", "order_last"),
    ("release_to_dispatch_s", "order_first"),
    ("release_to_dispatch_s", "order_last"),
    *(
        (f"{what}_rate", promise)
        for what in ("on_time", "missed_commitment")
        for promise in ("first_confirmed", "last_confirmed", "requested")
    ),
    ("in_full_rate", "default"),
    *((f"{what}_rate", of) for what in ("otif", "perfect_order") for of in ("shipment", "order")),
    ("first_pass_gate_rate", "default"),
    ("same_day_invoice_rate", "default"),
    ("invoice_before_pod_rate", "default"),
    *(
        ("invoice_error_rate", reason)
        for reason in ("default", "cancelled", "credited_in_full", "credited_in_part")
    ),
    ("unbilled_delivered_amount", "default"),
    ("cash_released_amount", "default"),
    ("exception_resolution_s", "default"),
    ("exception_detection_s", "default"),
    ("data_issue_delay_rate", "default"),
    *((f"eta_{measure}", f"h{hours}") for measure in OF_ETAS for hours in (12, 4, 2, 1)),
    *(("eta_coverage_rate", f"h{hours}") for hours in (24, 12, 4, 2, 1)),
    *(
        (metric, "default")
        for metric in (
            "detention_s", "load_factor_rate", "manual_touches_per_100_shipments", "fleet_utilisation_rate",
            "telemetry_coverage_rate", "loaded_km_share",
        )
    ),
    ("fleet_utilisation_rate", "heard"),
]  # fmt: skip
HELD_ELSEWHERE = {
    ("detention_s", "billable"),
    *((f"eta_{measure}", "h24") for measure in OF_ETAS),
    *(("integration_failure_rate", of) for of in ("default", "technical", "business")),
    ("attempt_failure_rate", "default"),
    ("missed_feed_windows", "default"),
    ("partner_onboarding_s", "default"),
    ("partner_time_to_stable_s", "default"),
}
"""Metric and variant of which the world does not tell every number; tests of the marts hold them."""


def told_by(rows: list[Row]) -> dict[tuple[Any, ...], Row]:
    """The rows of a truth that are published, by their keys."""
    return {keyed(row): row for row in rows if is_published(row["grain"], row["dimension"])}


def keyed(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in KEY)


def rows_of(marts: Path) -> dict[tuple[Any, ...], Row]:
    columns = (*KEY, *COUNTS, *NUMBERS)
    connection = duckdb.connect(str(marts), read_only=True)
    try:
        read = ", ".join(f"CAST({name} AS VARCHAR)" if name == "period_start" else name for name in columns)
        rows = connection.execute(f"SELECT {read} FROM marts.kpi_values").fetchall()
    finally:
        connection.close()
    return {row[: len(KEY)]: dict(zip(columns, row, strict=True)) for row in rows}


def differences(expected: Row, found: Row) -> dict[str, tuple[Any, Any]]:
    """What was expected and found, of each column in which they differ."""
    slack = SLACK[expected["metric"].rpartition("_")[2]]
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
