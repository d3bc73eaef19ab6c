"""The truth about lorries: how long they were heard and worked, and how much of their way they drove loaded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sandbox.world.generate import generate
from sandbox.world.happenings import Visit
from sandbox.world.model import Trip, World
from sandbox.world.moments import NOW
from sandbox.world.truth_driving import at_work
from sandbox.world.truth_numbers import Fact

POINTS = 200


@pytest.fixture(scope="module")
def world() -> World:
    return generate(7, 120)


@pytest.fixture(scope="module")
def trip(world: World) -> Trip:
    return next(each for each in world.trips if each.departed < NOW - timedelta(days=3))


def alone(world: World, trip: Trip, *visits: Visit) -> World:
    lorries = [each for each in world.lorries if each.id == trip.vehicle]
    return replace(world, trips=[trip], lorries=lorries, harsh=[], visits=list(visits))


def told(world: World, trip: Trip, metric: str, variant: str = "default", points: int = POINTS) -> Fact:
    day = trip.departed.astimezone().date()
    (found,) = (
        fact
        for fact in at_work(world, points)
        if (fact.metric, fact.variant, fact.day) == (metric, variant, day) and fact.cuts.get("depot")
    )
    return found


def test_a_lorry_works_while_its_unit_tells_and_silence_is_no_work(world: World, trip: Trip) -> None:
    heard = told(alone(world, trip), trip, "telemetry_coverage_rate")
    lasted = (trip.back - trip.departed).total_seconds()
    assert lasted * 0.95 < heard.numerator <= lasted
    assert heard.denominator == 86_400
    assert told(alone(world, trip), trip, "fleet_utilisation_rate").numerator == heard.numerator
    # One point a leg: what is longer than a quarter of an hour is silence.
    silent = told(alone(world, trip), trip, "fleet_utilisation_rate", points=1)
    waits = sum(
        (each.delivered - each.arrived).total_seconds()
        for each in trip.shipments
        if each.arrived and each.delivered
    )
    assert (silent.standing, silent.denominator) == ("in", 86_400)
    assert 0 < silent.numerator <= waits + len(trip.shipments)


def test_the_workshop_takes_a_lorry_out_of_what_it_can_work(world: World, trip: Trip) -> None:
    start = trip.back + timedelta(minutes=10)
    visit = Visit("M", trip.vehicle, "repair", "completed", start, start + timedelta(hours=1), start)
    other = replace(visit, vehicle="another")
    assert told(alone(world, trip, visit), trip, "fleet_utilisation_rate").denominator == 82_800
    assert told(alone(world, trip, other), trip, "fleet_utilisation_rate").denominator == 86_400


def test_the_way_back_is_empty_and_what_was_not_handed_over_is_on_board(world: World, trip: Trip) -> None:
    share = told(alone(world, trip), trip, "loaded_km_share")
    assert 0 < share.numerator < share.denominator
    last = replace(trip.shipments[-1], delivered=NOW + timedelta(days=1))
    full = replace(trip, shipments=[*trip.shipments, last])
    kept = told(alone(world, full), full, "loaded_km_share")
    assert kept.numerator == kept.denominator


def test_a_day_that_is_not_over_is_in_no_number(world: World, trip: Trip) -> None:
    late = replace(trip, departed=NOW - timedelta(hours=3), back=NOW + timedelta(hours=3))
    days = {fact.day for fact in at_work(alone(world, late), POINTS)}
    assert NOW.date() not in days
    assert (NOW - timedelta(days=1)).date() in days


def test_a_unit_that_stands_and_has_no_ignition_is_heard_and_does_not_work(world: World, trip: Trip) -> None:
    found = [fact for fact in at_work(alone(world, trip), POINTS) if "depot" not in fact.cuts]
    heard = next(fact for fact in found if fact.variant == "heard" and fact.denominator)
    assert (heard.numerator, heard.denominator) == (0, 960)
    assert not any(fact.metric == "loaded_km_share" for fact in found)
