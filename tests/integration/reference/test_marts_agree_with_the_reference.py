"""Two computations of every metric, one in SQL and one in Polars, say the same of every row and of every number."""

from __future__ import annotations

import polars as pl
import pytest

from tests.integration.reference.conftest import SEED, Sides
from tests.reference.compare import differences
from tests.reference.facts import DIMENSIONS
from tests.reference.values import KEY, MEASURES
from tests.support.random_worlds.generate import WORLDS
from tests.support.random_worlds.situations import situations
from tests.support.random_worlds.world import Row

FACT_KEY = ("metric", "variant", "entity_type", "entity_no")
FACT_MEASURES = (
    "standing", "period_date", "unit", "currency", "duration_s", "amount", "numerator", "denominator", *DIMENSIONS,
)  # fmt: skip
METRICS = (
    "captured_to_received_s",
    "cash_released_amount",
    "data_issue_delay_rate",
    "delivered_to_captured_s",
    "delivery_to_invoice_s",
    "exception_detection_s",
    "exception_resolution_s",
    "first_pass_gate_rate",
    "in_full_rate",
    "invoice_before_pod_rate",
    "invoice_error_rate",
    "missed_commitment_rate",
    "on_time_rate",
    "order_to_dispatch_s",
    "otif_rate",
    "perfect_order_rate",
    "pod_to_invoice_s",
    "received_to_released_s",
    "release_to_dispatch_s",
    "released_to_posted_s",
    "same_day_invoice_rate",
    "unbilled_delivered_amount",
)
SITUATIONS = (
    "a day of 23.0 hours", "a day of 25.0 hours", "another day than in UTC, east of it",
    "another day than in UTC, west of it", "a delivery in another zone", "cancelled, then delivered",
    "a consolidated invoice", "partial invoices", "a redelivery", "a failed attempt", "a return", "a credit in full",
    "a credit in part", "a cancelled invoice", "a voided proof", "a superseded proof", "a proof without quantities",
    "a time that came twice", "a time that never was", "a promised day", "a promised hour", "a window with a start",
    "a moved promise", "no promise", "an order without a shipment", "an order in several versions", "a split order",
    "a second departure", "a pushed invoice", "an invoice by hand", "a case that waits for the customer", "a case opened again", "a case told twice",
    "damage", "a document that is not under seal",
)  # fmt: skip


def counted(facts: pl.DataFrame, metric: str) -> pl.DataFrame:
    """The rows of a metric that are meant; which are not meant is everything else."""
    return facts.filter(pl.col("standing") != "out", metric=metric)


def told(found: list[str]) -> str:
    return "\n".join([f"seed {SEED}: {len(found)} differences", *found[:20]])


@pytest.mark.parametrize("metric", METRICS)
def test_both_say_the_same_of_every_row(sides: Sides, metric: str) -> None:
    ours, theirs = counted(sides.facts, metric), counted(sides.mart_facts, metric)
    assert len(ours) >= WORLDS
    found = differences(ours, theirs, FACT_KEY, FACT_MEASURES)
    assert not found, told(found)


@pytest.mark.parametrize("metric", METRICS)
def test_both_publish_the_same_numbers(sides: Sides, metric: str) -> None:
    ours, theirs = (frame.filter(metric=metric) for frame in (sides.values, sides.mart_values))
    assert set(ours["grain"]) == {"day", "week", "month", "all"}
    found = differences(ours, theirs, KEY, MEASURES)
    assert not found, told(found)


def test_there_are_enough_worlds_and_everything_happens_in_them(
    rows: dict[tuple[str, str], list[Row]],
) -> None:
    assert len({row["company_id"] for row in rows["erp", "companies"]}) == WORLDS >= 20
    found = situations(rows)
    assert [name for name in SITUATIONS if not found[name]] == [], f"seed {SEED}"


def test_every_standing_and_the_tails_are_met(sides: Sides) -> None:
    assert set(sides.mart_facts["standing"]) == {"in", "open", "negative", "excluded", "out"}, f"seed {SEED}"
    tails = sides.mart_values.filter(pl.col("p95").is_not_null())
    assert tails["n"].min() == 20 or len(tails) >= 100, f"seed {SEED}"
    assert len(sides.mart_values.filter((pl.col("n") < 20) & pl.col("p50").is_not_null())) >= 100
