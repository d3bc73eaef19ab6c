"""A cell becomes what its declaration says, or is refused with a reason; it is never guessed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.carrier import FreightCharge
from contracts.dispatch import Action
from contracts.erp import Company, Customer, Invoice, Order, OrderLine
from contracts.telematics import Position
from ingestion.files.values import Clockwork, Refused, Style, converter

BERLIN = Style(time_zone="Europe/Berlin")
GERMAN = Style(decimal=",", thousands=".")


def convert(contract: Any, field: str, cell: Any, style: Style = BERLIN, own: str | None = None) -> Any:
    return converter(field, contract.model_fields[field], style)(cell, own, Clockwork())


@pytest.mark.parametrize(
    ("text", "style", "value"),
    [
        ("1234.56", Style(), "1234.56"),
        ("-3", Style(), "-3"),
        (" 16.5 ", Style(), "16.5"),
        ("1.234,56", GERMAN, "1234.56"),
        ("1234,5", GERMAN, "1234.5"),
        ("1.234", GERMAN, "1234"),
        ("1'234'567.89", Style(thousands="'"), "1234567.89"),
        ("3600", Style(multiply_by=Decimal("0.001")), "3.6"),
        ("0.30000000000000004", Style(round=4), "0.3"),
    ],
)
def test_a_number_is_read_by_its_declared_marks(text: str, style: Style, value: str) -> None:
    assert convert(FreightCharge, "amount", text, style) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("1.234,56", Style()),
        ("1,234.56", Style()),
        ("1.5", GERMAN),
        ("12.34.567", GERMAN),
        ("1.23E+15", Style()),
        ("NaN", Style()),
        ("inf", Style()),
        ("See ASN-93 (ID#:1281)", Style()),
        ("١٢", Style()),
        (True, Style()),
        (float("nan"), Style()),
        ([1], Style()),
    ],
)
def test_a_number_in_other_marks_is_refused(text: Any, style: Style) -> None:
    with pytest.raises(Refused) as error:
        convert(FreightCharge, "amount", text, style)
    assert error.value.reason == "AMOUNT_INVALID"


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
def test_a_number_written_the_german_way_comes_back(value: Decimal) -> None:
    text = f"{value:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")
    assert convert(FreightCharge, "amount", text, GERMAN) == value


@pytest.mark.parametrize(
    ("cell", "formats", "instant"),
    [
        ("2026-11-10 08:00:00", ("iso",), datetime(2026, 11, 10, 7, tzinfo=UTC)),
        ("2026-11-10T08:00:00Z", ("iso",), datetime(2026, 11, 10, 8, tzinfo=UTC)),
        ("2026-11-10T08:00:00.250-05:00", ("iso",), datetime(2026, 11, 10, 13, 0, 0, 250_000, tzinfo=UTC)),
        ("10.11.2026 08:00", ("%d.%m.%Y %H:%M",), datetime(2026, 11, 10, 7, tzinfo=UTC)),
        ("7/1/2026 8:05", ("iso", "%m/%d/%Y %H:%M"), datetime(2026, 7, 1, 6, 5, tzinfo=UTC)),
        ("1762761600123", ("epoch_ms",), datetime(2025, 11, 10, 8, 0, 0, 123_000, tzinfo=UTC)),
        (1762761600, ("epoch_s",), datetime(2025, 11, 10, 8, tzinfo=UTC)),
        (datetime(2026, 11, 10, 8), ("iso",), datetime(2026, 11, 10, 7, tzinfo=UTC)),  # from Parquet
    ],
)
def test_a_time_is_read_by_its_declared_format(
    cell: Any, formats: tuple[str, ...], instant: datetime
) -> None:
    style = Style(formats=formats, time_zone="Europe/Berlin")
    assert convert(Order, "confirmed_at", cell, style) == instant


@pytest.mark.parametrize("cell", ["10.11.2026", "2026-02-30", "soon", "2026-11-10 25:00", True, 1.5])
def test_a_time_that_fits_no_format_is_refused(cell: Any) -> None:
    with pytest.raises(Refused) as error:
        convert(Order, "confirmed_at", cell)
    assert error.value.reason == "TIME_INVALID"


@pytest.mark.parametrize(
    ("text", "zone", "quality"),
    [
        ("2026-07-01 08:00:00", "Europe/Berlin", "assumed_zone"),
        ("2026-07-01 08:00:00+02:00", "Europe/Berlin", "exact"),
        ("2026-10-25 02:30:00", "Europe/Berlin", "ambiguous"),
        ("2026-10-25 03:00:00", "Europe/Berlin", "assumed_zone"),
    ],
)
def test_how_sure_a_time_is_comes_with_it(text: str, zone: str, quality: str) -> None:
    clock = Clockwork()
    converter("confirmed_at", Order.model_fields["confirmed_at"], Style(time_zone=zone))(text, None, clock)
    assert clock.worst == quality


def test_a_time_that_no_clock_showed_is_refused_and_its_neighbour_is_not() -> None:
    with pytest.raises(Refused) as error:
        convert(Order, "confirmed_at", "2026-03-29 02:30:00")
    assert error.value.reason == "TIME_GAP"
    assert convert(Order, "confirmed_at", "2026-03-29 03:00:00") == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_day_that_begins_in_a_gap_begins_when_its_first_clock_time_does() -> None:
    """In São Paulo 2018-11-04 began at 01:00: a promise for that day is no time in the gap."""
    style = Style(time_zone="America/Sao_Paulo", day=True)
    assert convert(Order, "first_promised_at", "2018-11-04 00:00:00", style) == datetime(
        2018, 11, 4, 3, tzinfo=UTC
    )
    with pytest.raises(Refused):
        convert(Order, "first_promised_at", "2018-11-04 00:00:00", Style(time_zone="America/Sao_Paulo"))


def test_a_time_without_any_zone_is_refused_unless_the_row_names_one() -> None:
    with pytest.raises(Refused) as error:
        convert(Order, "confirmed_at", "2026-07-01 08:00:00", Style())
    assert error.value.reason == "TIME_NO_ZONE"
    assert convert(Order, "confirmed_at", "2026-07-01 08:00:00", Style(), own="Asia/Tokyo") == datetime(
        2026, 6, 30, 23, tzinfo=UTC
    )
    with pytest.raises(Refused, match="not an IANA time zone"):
        convert(Order, "confirmed_at", "2026-07-01 08:00:00", Style(), own="Mars/Olympus")


def test_a_day_is_read_from_a_day_or_a_time() -> None:
    assert convert(Company, "books_closed_until", "2026-07-01") == date(2026, 7, 1)
    assert convert(Company, "books_closed_until", date(2026, 7, 1)) == date(2026, 7, 1)
    assert convert(Invoice, "issue_date", "2026-07-01 23:30:00-05:00") == date(2026, 7, 2)


def test_a_number_is_no_id_unless_declared() -> None:
    """A leading zero that a JSON number lost is lost for ever."""
    assert convert(Order, "order_id", "007") == "007"
    with pytest.raises(Refused) as error:
        convert(Order, "order_id", 7)
    assert error.value.reason == "ID_INVALID"
    assert convert(Order, "order_id", 7, Style(from_number=True)) == "7"
    with pytest.raises(Refused):
        convert(Order, "order_id", True, Style(from_number=True))


def test_other_types() -> None:
    assert convert(OrderLine, "line_no", "12") == 12
    assert convert(Action, "sequence_nr", 3) == 3
    for cell in ("1.5", "x", True, "9" * 30):
        with pytest.raises(Refused):
            convert(OrderLine, "line_no", cell)
    assert [convert(Customer, "is_active", cell) for cell in ("TRUE", "0", True)] == [True, False, True]
    with pytest.raises(Refused):
        convert(Customer, "is_active", "maybe")
    assert convert(Position, "latitude", "53.5") == 53.5
    with pytest.raises(Refused) as error:
        convert(Position, "latitude", "53°30'")
    assert error.value.reason == "COORDINATES_INVALID"
