"""Two computations of every metric, one in SQL and one in Polars, say the same of every row and of every number."""

from __future__ import annotations

import polars as pl
import pytest

from cli.docs import read_metrics
from tests.integration.reference.conftest import SEED, Sides
from tests.reference.compare import differences
from tests.reference.facts import DIMENSIONS
from tests.reference.values import KEY, MEASURES
from tests.support.random_worlds.exchange import STATES
from tests.support.random_worlds.generate import WORLDS
from tests.support.random_worlds.situations import situations
from tests.support.random_worlds.world import Row

FACT_KEY = ("metric", "variant", "entity_type", "entity_no", "nth")
FACT_MEASURES = (
    "standing", "why", "period_date", "unit", "currency", "duration_s", "amount", "numerator", "denominator", *DIMENSIONS,
)  # fmt: skip
METRICS = (
    "attempt_failure_rate",
    "captured_to_received_s",
    "cash_released_amount",
    "data_issue_delay_rate",
    "delivered_to_captured_s",
    "delivery_to_invoice_s",
    "detention_s",
    "eta_absolute_error_s",
    "eta_accuracy_rate",
    "eta_bias_s",
    "eta_coverage_rate",
    "exception_detection_s",
    "exception_resolution_s",
    "first_pass_gate_rate",
    "fleet_utilisation_rate",
    "in_full_rate",
    "integration_failure_rate",
    "invoice_before_pod_rate",
    "invoice_error_rate",
    "load_factor_rate",
    "loaded_km_share",
    "manual_touches_per_100_shipments",
    "missed_commitment_rate",
    "missed_feed_windows",
    "on_time_rate",
    "order_to_dispatch_s",
    "otif_rate",
    "partner_onboarding_s",
    "partner_time_to_stable_s",
    "perfect_order_rate",
    "pod_to_invoice_s",
    "received_to_released_s",
    "release_to_dispatch_s",
    "released_to_posted_s",
    "same_day_invoice_rate",
    "telemetry_coverage_rate",
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
    "a silence of a lorry's unit", "a position that cannot be", "a unit without an ignition", "a unit that nobody knows",
    "a lorry that is silent", "a lorry that left the service", "a workshop order that goes on", "a load that nobody weighed",
    "a lorry that still stands", "a stop without free time", "waiting that was charged", "a prediction after the arrival",
    "a prediction that names no stop", "an effect that was tried again", "a source that did not answer",
    "a touch by hand", *(f"an effect that is {each}" for each in STATES),
    *(f"a refused row that is {each}" for each in ("open", "parked", "replaying", "resolved", "replayed", "discarded")),
    *(f"a connection in {each}" for each in ("production", "retired", "testing")),
)  # fmt: skip


OF_WHAT_IS_OUT = ("standing", "why", *(name for name in DIMENSIONS if name not in {"age_days", "made_by"}))
"""It is in no number, so that it has a day or a length by chance alone."""
OPEN_MEASURES = (
    "age_days",
    "why",
    "unit",
    "currency",
    "amount",
    *(name for name in DIMENSIONS if name != "age_days"),
)


def counted(facts: pl.DataFrame, metric: str) -> pl.DataFrame:
    """The rows of a metric that are meant."""
    return numbered(facts.filter(pl.col("standing") != "out", metric=metric))


def numbered(found: pl.DataFrame) -> pl.DataFrame:
    # What has no number of its own, as rows loaded in bulk, is told apart by what is said of it.
    ordered = found.sort(
        *FACT_KEY[:-1], "period_date", "connection", "depot_id", "standing", "denominator", "numerator", "why"
    )
    return ordered.with_columns(pl.int_range(pl.len()).over(FACT_KEY[:-1]).alias("nth"))


def told(found: list[str]) -> str:
    return "\n".join([f"seed {SEED}: {len(found)} differences", *found[:20]])


@pytest.mark.parametrize("metric", METRICS)
def test_both_say_the_same_of_every_row(sides: Sides, metric: str) -> None:
    ours, theirs = counted(sides.facts, metric), counted(sides.mart_facts, metric)
    assert len(ours) >= WORLDS
    found = differences(ours, theirs, FACT_KEY, FACT_MEASURES)
    assert not found, told(found)


@pytest.mark.parametrize("metric", METRICS)
def test_both_leave_out_the_same_rows_for_the_same_reasons(sides: Sides, metric: str) -> None:
    ours, theirs = (
        numbered(frame.filter(metric=metric, standing="out")) for frame in (sides.facts, sides.mart_facts)
    )
    found = differences(ours, theirs, FACT_KEY, OF_WHAT_IS_OUT)
    assert not found, told(found)


def test_both_list_the_same_rows_that_wait_and_for_how_long(sides: Sides) -> None:
    """Begun and not ended, or delivered and not billed."""
    waits = pl.col("standing").eq("open") | pl.col("metric").eq("unbilled_delivered_amount")
    ours = by_what_they_are(sides.facts.filter(waits & (pl.col("standing") != "out")))
    theirs = by_what_they_are(sides.read("SELECT * FROM marts.kpi_open_items"))
    found = differences(ours, theirs, FACT_KEY, OPEN_MEASURES)
    assert not found, told(found)
    assert set(theirs["age_days"]) == {"0-1", "1-3", "3-7", "7+"}, f"seed {SEED}"
    assert theirs["metric"].n_unique() >= 10, f"seed {SEED}"


def by_what_they_are(frame: pl.DataFrame) -> pl.DataFrame:
    ordered = frame.sort(*FACT_KEY[:-1], "age_days", "why", "connection")
    return ordered.with_columns(pl.int_range(pl.len()).over(FACT_KEY[:-1]).alias("nth"))


@pytest.mark.parametrize("metric", METRICS)
def test_both_publish_the_same_numbers(sides: Sides, metric: str) -> None:
    ours, theirs = (frame.filter(metric=metric) for frame in (sides.values, sides.mart_values))
    assert set(ours["grain"]) == {"day", "week", "month", "all"}
    found = differences(ours, theirs, KEY, MEASURES)
    assert not found, told(found)


def test_no_metric_is_left_without_a_second_computation(sides: Sides) -> None:
    named = ("metric", "variant", "entity_type")
    theirs, ours = ({*frame.select(named).unique().rows()} for frame in (sides.mart_facts, sides.facts))
    assert theirs == ours
    assert {metric for metric, *_ in theirs} == {*METRICS} == {each.name for each in read_metrics()}


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
