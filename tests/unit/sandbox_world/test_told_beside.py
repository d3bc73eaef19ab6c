"""Freight, driving, corrected proofs and numbers: each as it should be, and nothing that was there before changes."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from sandbox.world import correcting, gs1
from sandbox.world.dialects.drop import drop_of
from sandbox.world.freight import OWN_FLEET
from sandbox.world.generate import generate
from sandbox.world.known import live
from sandbox.world.model import World
from sandbox.world.moments import NOW
from sandbox.world.routing import distance_km, driven
from sandbox.world.writing import numbers


@pytest.fixture(scope="module")
def world() -> World:
    return generate(7, 240)


def is_whole(number: str) -> bool:
    """The sum over all digits, weighed 1 and 3 in turn from the right, ends in nought."""
    return sum(int(each) * (1, 3)[place % 2] for place, each in enumerate(reversed(number))) % 10 == 0


def test_numbers_end_in_their_check_digit() -> None:
    numbers = [gs1.gln(1, 283), gs1.gln(0, 1), gs1.sscc("CN-00123-1"), gs1.sscc("CN-00123-1R")]
    assert [len(each) for each in numbers] == [13, 13, 18, 18]
    assert all(map(is_whole, numbers)) and len(set(numbers)) == 4
    assert is_whole("4006381333931") and not is_whole("4006381333932")
    # EPCIS writes the same number without its check digit, the first one behind the company's prefix.
    company, serial = gs1.sscc_urn("CN-00123-1").removeprefix("urn:epc:id:sscc:").split(".")
    assert f"{serial[0]}{company}{serial[1:]}" == numbers[2][:-1]


def test_other_carriers_alone_ask_for_money_and_each_line_once(world: World) -> None:
    assert world.freight and all(line.amount > 0 for line in world.freight)
    assert OWN_FLEET not in {line.shipment.carrier for line in world.freight}
    assert {line.amount.as_tuple().exponent for line in world.freight} == {-2}
    assert max(Counter(line.id for line in world.freight).values()) == 1
    for line in world.freight:
        delivered = line.shipment.delivered
        assert delivered and timedelta(0) < line.stated - delivered < timedelta(days=8)
        assert line.stated.weekday() == 0


def test_a_statement_of_next_week_lies_in_no_folder_yet(world: World) -> None:
    told = {row["line"] for row in drop_of(world).charges}
    assert told == {line.id for line in world.freight if line.stated <= NOW}
    late = replace(world.freight[0], id="late", stated=NOW + timedelta(hours=1))
    assert drop_of(replace(world, freight=[late])).charges == []
    assert len(drop_of(replace(world, freight=[replace(late, stated=NOW)])).charges) == 1


def test_amounts_are_written_as_they_are(world: World) -> None:
    rows = drop_of(world).charges
    assert sum(Decimal(row["amount"]) for row in rows) == sum(
        line.amount for line in world.freight if line.stated <= NOW
    )


def test_a_lorry_brakes_on_its_way_and_tells_it_afterwards(world: World) -> None:
    assert world.harsh
    for event in world.harsh:
        assert event.trip.departed < event.started < event.trip.back
        assert event.started < event.told
        places = [(lat, lon) for _, lat, lon in driven(event.trip)]
        ways = [
            distance_km(one, (event.lat, event.lon)) + distance_km((event.lat, event.lon), two) - distance_km(one, two)
            for one, two in itertools.pairwise(places)
        ]  # fmt: skip
        assert min(ways) < 0.001


def test_a_corrected_proof_holds_what_the_first_one_would_have_held(world: World) -> None:
    corrected = [shipment for shipment in world.shipments if any(pod.supersedes for pod in shipment.pods)]
    assert corrected
    for shipment in corrected:
        wrong, right = shipment.pods
        assert (right.supersedes, wrong.supersedes) == (wrong.id, None)
        assert wrong.captured < right.captured and wrong.received <= right.received <= NOW
        assert sum(wrong.delivered.values()) == sum(right.delivered.values()) - 1
        assert live(shipment) == right


def test_only_a_whole_proof_that_stands_alone_is_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correcting, "SHARE", 1.0)
    shipments = generate(7, 120).shipments
    corrected = [shipment for shipment in shipments if any(pod.supersedes for pod in shipment.pods)]
    assert corrected
    for shipment in corrected:
        assert len(shipment.pods) == 2 and not shipment.fault and not shipment.is_failed
        assert shipment.pods[-1].outcome == "succeeded"
    left = [shipment for shipment in shipments if shipment.pods and shipment not in corrected]
    assert {bool(shipment.fault) for shipment in left} == {True, False}
    assert any(shipment.pods[-1].outcome == "partiallySucceeded" for shipment in left)


def test_no_number_depends_on_corrections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correcting, "SHARE", 0.0)
    without = numbers(7, 120)
    monkeypatch.setattr(correcting, "SHARE", 1.0)
    assert numbers(7, 120) == without
