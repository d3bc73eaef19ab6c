"""The truth about stops: waiting beyond what is free, and predictions that came early enough to count."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sandbox.world.generate import generate
from sandbox.world.happenings import Eta
from sandbox.world.model import Shipment, World
from sandbox.world.moments import NOW
from sandbox.world.truth_numbers import Fact, Subject
from sandbox.world.truth_stops import at_stops

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(scope="module")
def world() -> World:
    return generate(7, 120)


@pytest.fixture(scope="module")
def reached(world: World) -> Shipment:
    """The first stop of a trip that was over well before NOW."""
    trip = next(each for each in world.trips if each.back < NOW - HOUR)
    return trip.shipments[0]


def facts(world: World, shipment: Shipment, *told: tuple[timedelta, timedelta]) -> list[Fact]:
    """Of one stop alone, with predictions as (issued before the arrival, told too late by)."""
    assert shipment.trip and shipment.arrived
    etas = [
        Eta(f"E{nr}", shipment.trip, 1, "planner", shipment.arrived - before, shipment.arrived - late)
        for nr, (before, late) in enumerate(told)
    ]
    trip = replace(shipment.trip, shipments=[shipment])
    about = {shipment.id: Subject("UTC", {"customer": "C"})}
    return list(at_stops(replace(world, trips=[trip], etas=etas), about))


def met(found: list[Fact], metric: str, hours: int) -> list[int]:
    return [each.numerator for each in found if (each.metric, each.variant) == (metric, f"h{hours}")]


def test_the_last_prediction_that_was_early_enough_counts(world: World, reached: Shipment) -> None:
    found = facts(world, reached, (5 * HOUR, 45 * MINUTE), (4 * HOUR, 10 * MINUTE), (3 * HOUR, 31 * MINUTE))
    assert met(found, "eta_accuracy_rate", 4) == [1]
    assert met(found, "eta_accuracy_rate", 2) == [0]
    assert met(found, "eta_bias_s", 2) == [31 * 60]
    assert met(found, "eta_accuracy_rate", 12) == []
    assert [met(found, "eta_coverage_rate", hours) for hours in (24, 12, 4, 2, 1)] == [
        [0],
        [0],
        [1],
        [1],
        [1],
    ]


@pytest.mark.parametrize(
    ("late", "is_accurate"),
    [(30 * MINUTE, 1), (-30 * MINUTE, 1), (30 * MINUTE + MINUTE / 60, 0), (-31 * MINUTE, 0)],
)
def test_half_an_hour_either_way_is_accurate(
    world: World, reached: Shipment, late: timedelta, is_accurate: int
) -> None:
    assert met(facts(world, reached, (2 * HOUR, late)), "eta_accuracy_rate", 2) == [is_accurate]


def test_what_is_told_after_the_arrival_says_nothing(world: World, reached: Shipment) -> None:
    found = facts(world, reached, (-MINUTE, timedelta(0)))
    assert {each.metric for each in found} == {"eta_coverage_rate", "detention_s"}
    assert met(found, "eta_coverage_rate", 1) == [0]


def test_a_stop_that_failed_is_reached_all_the_same(world: World, reached: Shipment) -> None:
    found = facts(world, replace(reached, is_failed=True), (2 * HOUR, timedelta(0)))
    assert met(found, "eta_accuracy_rate", 2) == [1]


@pytest.mark.parametrize("beyond_s", [-600, 0, 1, 600])
def test_only_what_is_beyond_the_free_time_is_waiting(world: World, reached: Shipment, beyond_s: int) -> None:
    assert reached.arrived
    stayed = timedelta(seconds=reached.order.customer.free_time_s + beyond_s)
    (found,) = (
        each
        for each in facts(world, replace(reached, delivered=reached.arrived + stayed - 4 * MINUTE))
        if each.metric == "detention_s"
    )
    assert found.span == (max(beyond_s, 0), max(beyond_s, 0))


def test_a_stop_that_is_still_to_come_is_in_no_number(world: World, reached: Shipment) -> None:
    assert facts(world, replace(reached, delivered=NOW + HOUR)) == []
    assert facts(world, replace(reached, delivered=NOW - HOUR)) != []


def test_of_goods_that_nobody_knows_the_owner_is_not_told(world: World, reached: Shipment) -> None:
    assert reached.trip
    alone = replace(world, trips=[replace(reached.trip, shipments=[reached])], etas=[])
    assert all(each.cuts.get("customer") is None for each in at_stops(alone, {}))
    assert {each.cuts["customer"] for each in facts(world, reached)} == {"C"}
