"""The truth's numbers: what is in, what stands beside it, and what hangs on a moment still to come."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.world.generate import generate
from sandbox.world.known import Told, deadline, is_on_requested_day, is_on_time, tell
from sandbox.world.model import Invoice, Shipment, World
from sandbox.world.moments import NOW
from sandbox.world.truth_hours import worked_s
from sandbox.world.truth_kpis import kpis
from sandbox.world.truth_numbers import Fact, Subject, at, judged, rows, spent, summed

ANYWHERE = Subject("UTC")
START = datetime(2026, 11, 1, tzinfo=UTC)


def cycle(
    metric: str, items: Iterable[tuple[datetime | None, tuple[datetime, datetime] | None, bool]]
) -> Any:
    return alone([fact for item in items for fact in spent(metric, ANYWHERE, *item)])


def rate(metric: str, verdicts: Iterable[bool | None]) -> Any:
    return alone([fact for each in verdicts for fact in judged(metric, ANYWHERE, START, each)])


def amount(metric: str, currency: str | None, amounts: Iterable[Decimal | None]) -> Any:
    given = [None if each is None else (each, each) for each in amounts]
    return alone([fact for each in given for fact in summed(metric, ANYWHERE, START, each, currency)])


def alone(facts: list[Fact]) -> dict[str, Any]:
    (found,) = rows(facts, ["all"], ["all"])
    return found


def after(*seconds: float) -> tuple[datetime, datetime]:
    first, last = seconds[0], seconds[-1]
    return START + timedelta(seconds=first), START + timedelta(seconds=last)


@pytest.fixture(scope="module")
def world() -> World:
    return generate(7, 120)


def test_a_number_is_cut_by_period_and_by_what_its_fact_knows() -> None:
    facts = [
        fact
        for day, depot in ((1, "HAM"), (2, "HAM"), (2, None), (3, "TYO"))
        for fact in judged("x_rate", Subject("UTC", {"depot": depot}), START.replace(day=day), day != 2)
    ]
    found = {
        (row["grain"], row["period_start"], row["dimension_value"]): row["value"]
        for row in rows(facts, ["week", "day"], ["all", "depot"])
    }
    assert found == {
        ("week", "2026-10-26", "all"): 1.0,
        ("week", "2026-10-26", "HAM"): 1.0,
        ("week", "2026-11-02", "all"): 1 / 3,
        ("week", "2026-11-02", "HAM"): 0.0,
        ("week", "2026-11-02", "TYO"): 1.0,
        ("day", "2026-11-01", "all"): 1.0,
        ("day", "2026-11-01", "HAM"): 1.0,
        ("day", "2026-11-02", "all"): 0.0,
        ("day", "2026-11-02", "HAM"): 0.0,
        ("day", "2026-11-03", "all"): 1.0,
        ("day", "2026-11-03", "TYO"): 1.0,
    }


def test_a_day_is_that_of_the_clocks_there() -> None:
    (fact,) = judged("x_rate", Subject("Asia/Tokyo"), START.replace(hour=20), True)
    assert str(fact.day) == "2026-11-02"


@pytest.mark.parametrize(
    ("begun", "ended", "zone", "hours"),
    [
        ("2026-11-06T16:00", "2026-11-09T09:00", "UTC", 3),
        ("2026-11-07T09:00", "2026-11-08T17:00", "UTC", 0),
        ("2026-10-30T20:00", "2026-11-02T15:00", "America/Chicago", 4),
        ("2026-11-06T10:00", "2026-11-06T09:00", "UTC", 0),
    ],
)
def test_nights_and_weekends_are_no_working_hours(begun: str, ended: str, zone: str, hours: int) -> None:
    first, last = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (begun, ended))
    assert worked_s(first, last, zone) == hours * 3600


def shipments(world: World) -> list[Told]:
    return tell(world, {each.id for each in world.shipments if each.allocated <= NOW})


def row(
    world: World, metric: str, posted: list[Shipment], hidden: Iterable[str] = (), **cut: str
) -> dict[str, Any]:
    shown = {each.id for each in world.shipments if each.allocated <= NOW} - set(hidden)
    rows = kpis(world, shown, {"post": [{"shipment_no": each.id} for each in posted], "block": []}, 1000)
    wanted = {"metric": metric, "variant": "default", "dimension": "all"} | cut
    (found,) = (each for each in rows if wanted.items() <= each.items())
    return found


def test_what_is_not_in_stands_beside_it() -> None:
    items = [
        (START, after(0), False),
        (START, after(7), False),
        (START, after(-0.001), False),
        (START, after(9), True),
        (None, after(9), False),
        (START, None, False),
        (None, None, False),
    ]
    found = cycle("x_s", items)
    assert (found["n"], found["n_negative"], found["n_excluded"], found["n_open"]) == (2, 1, 2, 1)
    assert found["value"] == found["p50"] == 0.0


@pytest.mark.parametrize(("count", "p90", "p95"), [(19, None, None), (20, 18.0, 19.0)])
def test_high_percentiles_are_observed_and_need_twenty(
    count: int, p90: float | None, p95: float | None
) -> None:
    found = cycle("x_s", [(START, after(each), False) for each in range(1, count + 1)])
    assert (found["p50"], found["p90"], found["p95"]) == (10.0, p90, p95)


def test_only_what_hangs_on_a_posting_to_come_is_an_interval() -> None:
    found = cycle("x_s", [(START, after(1, 4), False), (START, after(5), False), (START, after(6, 9), False)])
    assert found["p50"] == 5.0
    assert cycle("x_s", [(START, after(1, 4), False)])["p50"] == [1.0, 4.0]
    assert at(None) is None


def test_a_rate_of_nothing_is_none_and_unknown_is_not_missed() -> None:
    assert rate("x_rate", [None])["value"] is None
    found = rate("x_rate", [True, None, False, True, True])
    assert (found["numerator"], found["denominator"], found["n_excluded"], found["value"]) == (3, 4, 1, 0.75)


def test_a_sum_leaves_out_what_is_not_known() -> None:
    found = amount("x_amount", "EUR", [Decimal("0.10"), None, Decimal("0.20")])
    assert (found["value"], found["n"], found["n_excluded"]) == ("0.30", 2, 1)
    assert amount("x_amount", None, [None])["value"] is None


def test_a_day_holds_to_its_last_instant_where_the_goods_go(world: World) -> None:
    order = next(e for e in world.orders if e.precision == "date" and e.depot.zone == "America/Chicago")
    end = deadline(order)
    assert end - order.promised == timedelta(days=1) or end.utcoffset() != order.promised.utcoffset()
    assert is_on_time(order, end - timedelta(microseconds=1))
    assert not is_on_time(order, end)
    assert is_on_requested_day(order, end - timedelta(microseconds=1))
    assert not is_on_requested_day(order, end)


def test_before_the_window_is_early_for_the_promise_but_not_for_the_requested_day(world: World) -> None:
    order = next(each for each in world.orders if each.promised_from)
    assert order.promised_from
    early = order.promised_from - timedelta(seconds=1)
    assert is_on_time(order, order.promised_from) and not is_on_time(order, early)
    assert is_on_time(order, order.promised)
    assert not is_on_time(order, order.promised + timedelta(seconds=1))
    assert is_on_requested_day(order, early)


def test_a_part_that_is_alone_may_have_sisters_to_come(world: World) -> None:
    split = next(
        each
        for each in shipments(world)
        if len(each.order.shipments) > 1 and each.is_in_full and not each.is_redelivery and not each.is_alone
    )
    assert by_itself(split, NOW + timedelta(hours=1)).is_in_full is None
    assert by_itself(split, NOW - timedelta(hours=1)).is_in_full is False


def by_itself(split: Told, promised: datetime) -> Told:
    changed = replace(split.order, promised=promised, precision="timestamp")
    return replace(split, shipment=replace(split.shipment, order=changed), is_alone=True)


def test_a_redelivery_is_no_dispatch_of_its_own(world: World) -> None:
    known = shipments(world)
    gone = [each for each in known if each.departed]
    again = [each for each in gone if each.is_redelivery]
    unknown = [each for each in gone if each.is_unsure or not each.is_order_known]
    assert again
    found = row(world, "order_to_dispatch_s", [], variant="default")
    assert found["n"] == len(gone) - len(again) - len(unknown)
    assert found["n_excluded"] == len(unknown)


def test_an_order_without_a_shipment_waits_unless_it_is_cancelled(world: World) -> None:
    order = next(e.order for e in shipments(world) if e.departed and not e.order.fault)
    hidden = {each.id for each in order.shipments}
    before = row(world, "order_to_dispatch_s", [], variant="order_first")
    waiting = row(world, "order_to_dispatch_s", [], hidden, variant="order_first")
    assert (waiting["n"], waiting["n_open"]) == (before["n"] - 1, before["n_open"] + 1)
    try:
        order.cancelled = NOW + timedelta(hours=1)
        assert row(world, "order_to_dispatch_s", [], hidden, variant="order_first") == waiting
        order.cancelled = NOW
        cancelled = row(world, "order_to_dispatch_s", [], hidden, variant="order_first")
    finally:
        order.cancelled = None
    assert (cancelled["n"], cancelled["n_open"]) == (before["n"] - 1, before["n_open"])


def test_an_invoice_bills_what_it_names(world: World) -> None:
    waiting = [e for e in shipments(world) if e.is_proven and not e.shipment.is_billed_by_hand]
    one, before = waiting[0], row(world, "pod_to_invoice_s", [])
    made = Invoice("SINV-X", one.shipment, NOW, {})
    world.invoices.append(made)
    try:
        assert row(world, "pod_to_invoice_s", [])["n_open"] == before["n_open"] - 1
        made.names = None
        assert row(world, "pod_to_invoice_s", [])["n_open"] == before["n_open"]
    finally:
        world.invoices.remove(made)


def test_what_waybill_posts_is_known_to_half_an_hour(world: World) -> None:
    waiting = [e for e in shipments(world) if e.is_proven and not e.shipment.is_billed_by_hand]
    one = next(each for each in waiting if not each.is_unsure)
    cut = {"dimension": "made_by", "dimension_value": "waybill"}
    found = row(world, "pod_to_invoice_s", [one.shipment], **cut)
    assert one.proof
    least = (NOW - one.proof.received).total_seconds()
    assert (found["n"], found["value"]) == (1, [least, least + 1800])
    assert row(world, "released_to_posted_s", [one.shipment])["value"] == [0.0, 1800.0]
