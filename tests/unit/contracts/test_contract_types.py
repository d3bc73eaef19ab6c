"""What the field types refuse, and the near misses that they let pass."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.base import Amount, Currency, Id, Instant, Text, Whole
from contracts.dispatch import Action, Consignment
from contracts.erp import Order, OrderLine
from contracts.telematics import Position

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)


def refuses(annotation: Any, value: object) -> bool:
    try:
        TypeAdapter(annotation).validate_python(value)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("value", ["SO\u200b1", "SO\u202e1", "SO\x001", " SO1", "", None, 42, "\ud800"])
def test_an_id_that_looks_like_another_is_refused(value: object) -> None:
    assert refuses(Id, value)


@pytest.mark.parametrize("value", ["SO-1", "00042", "Größe", "e\u0301", "=HYPERLINK(1)"])
def test_an_id_people_can_read_passes_unchanged(value: str) -> None:
    assert TypeAdapter(Id).validate_python(value) == value


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", Decimal("NaN"), 1.5, True, "1.234,56", "1e309"]
)
def test_an_amount_that_is_no_exact_number_is_refused(value: object) -> None:
    assert refuses(Amount, value)


@pytest.mark.parametrize("value", ["10.50", Decimal("-3.1234"), 7])
def test_an_exact_amount_passes(value: object) -> None:
    assert TypeAdapter(Amount).validate_python(value) == Decimal(str(value))


@pytest.mark.parametrize(("value", "refused"), [(2**63, True), (2**63 - 1, False), (-(2**63), False)])
def test_a_whole_number_fits_every_store(value: int, refused: bool) -> None:
    assert refuses(Whole, value) == refused


def test_an_amount_finer_than_four_decimals_is_refused() -> None:
    assert refuses(Amount, "0.00001")
    assert not refuses(Amount, "0.0001")


@pytest.mark.parametrize(
    ("value", "refused"), [("EURO", True), ("eur", True), ("EUR", False), ("XTS", False)]
)
def test_a_currency_is_three_capitals(value: str, refused: bool) -> None:
    assert refuses(Currency, value) is refused


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        (datetime(2026, 11, 13, 17), True),
        (datetime(1, 1, 1, tzinfo=UTC), True),
        (datetime(9999, 12, 31, tzinfo=UTC), True),
        (datetime.fromtimestamp(0, UTC), True),
        (NOW, False),
    ],
)
def test_an_instant_has_a_zone_and_a_plausible_year(value: datetime, refused: bool) -> None:
    assert refuses(Instant, value) is refused


@given(st.datetimes(datetime(1991, 1, 1), datetime(2098, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_an_instant_is_kept_in_utc_whatever_its_offset(naive: datetime, minutes: int) -> None:
    value = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    kept = TypeAdapter(Instant).validate_python(value)
    assert kept == value
    assert kept.utcoffset() == timedelta(0)


def test_a_text_may_hold_formulas_and_sql_but_no_nul() -> None:
    assert not refuses(Text, '=HYPERLINK("x")\'; DROP TABLE orders; --')
    assert refuses(Text, "a\x00b")
    assert refuses(Text, "\udc80")


def order(**changes: object) -> Order:
    fields: dict[str, object] = {
        "order_id": "SO-1",
        "customer_id": "C-1",
        "currency": "EUR",
        "status": "confirmed",
        "ordered_at": NOW,
    }
    return Order.model_validate(fields | changes)


def test_yen_have_no_minor_unit() -> None:
    with pytest.raises(ValidationError, match="no minor unit"):
        order(currency="JPY", grand_total_amount="10.50")
    assert order(currency="JPY", grand_total_amount="10").grand_total_amount == 10
    assert order(currency="EUR", grand_total_amount="10.50").currency == "EUR"


def line(quantity: str, *, is_return: bool) -> OrderLine:
    return OrderLine(
        order_line_id="L",
        order_id="SO-1",
        line_no=1,
        item_id="I",
        quantity=Decimal(quantity),
        uom="EA",
        unit_price_amount=Decimal(1),
        net_amount=Decimal(quantity),
        is_return=is_return,
    )


def test_only_a_return_is_negative() -> None:
    with pytest.raises(ValidationError, match="return"):
        line("-1", is_return=False)
    assert line("-1", is_return=True).quantity == -1
    assert line("1", is_return=False).quantity == 1


def test_an_action_does_not_end_before_it_starts() -> None:
    def action(end: datetime) -> Action:
        return Action(action_id="A", action_type="load", lifecycle="realized", start_at=NOW, end_at=end)

    with pytest.raises(ValidationError, match="before start_at"):
        action(NOW - timedelta(seconds=1))
    assert action(NOW).end_at == NOW


def test_a_consignment_is_not_its_own_parent() -> None:
    with pytest.raises(ValidationError, match="own parent"):
        Consignment(consignment_id="S", order_id="O", status="confirmed", parent_id="S")
    assert Consignment(consignment_id="S", order_id="O", status="confirmed", parent_id="T").parent_id == "T"


@pytest.mark.parametrize(("latitude", "refused"), [(float("nan"), True), (90.1, True), (-90.0, False)])
def test_a_position_is_on_earth(latitude: float, refused: bool) -> None:
    fields = {"device_id": "D", "positioned_at": NOW, "received_at": NOW, "longitude": 1.0}
    if refused:
        with pytest.raises(ValidationError):
            Position.model_validate(fields | {"latitude": latitude})
    else:
        assert Position.model_validate(fields | {"latitude": latitude}).quality == "ok"
