"""The truth about lorries: what they carried of what they can, a day of departures after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sandbox.world.generate import generate
from sandbox.world.model import Trip, World
from sandbox.world.moments import NOW
from sandbox.world.truth_fleet import loads


@pytest.fixture(scope="module")
def world() -> World:
    return generate(7, 120)


def alone(world: World, *trips: Trip) -> World:
    return replace(world, trips=list(trips))


def past(world: World) -> Trip:
    return next(trip for trip in world.trips if trip.departed < NOW - timedelta(days=3))


def names(*trips: Trip) -> set[str]:
    return {shipment.id for trip in trips for shipment in trip.shipments}


def test_two_trips_of_a_day_are_one_fact(world: World) -> None:
    trip = past(world)
    (one,) = loads(alone(world, trip), names(trip))
    (two,) = loads(alone(world, trip, trip), names(trip))
    weight = sum(
        line.item.weight * shipment.goods.get(line.id, 0)
        for shipment in trip.shipments
        for line in shipment.order.lines
    )
    assert (one.standing, one.numerator) == ("in", round(weight))
    assert two.denominator == 2 * one.denominator == 2 * capacity(world, trip)


def capacity(world: World, trip: Trip) -> int:
    return next(lorry.capacity_kg for lorry in world.lorries if lorry.id == trip.vehicle)


def test_a_trip_with_goods_that_nobody_can_read_is_not_weighed(world: World) -> None:
    trip = past(world)
    (found,) = loads(alone(world, trip), set())
    assert (found.standing, found.denominator) == ("excluded", 0)
    (half,) = loads(alone(world, trip, replace(trip, shipments=[])), set())
    assert (half.standing, half.numerator, half.denominator) == ("in", 0, capacity(world, trip))


def test_a_day_that_is_not_over_is_in_no_number(world: World) -> None:
    trip = past(world)
    assert list(loads(alone(world, replace(trip, departed=NOW)), names(trip))) == []
    assert list(loads(alone(world, replace(trip, departed=NOW - timedelta(days=2))), names(trip)))
