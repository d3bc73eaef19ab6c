"""How numbers are said, and when a headline counts as good."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dashboard import charts
from dashboard.data import Kpi, Marts
from dashboard.metrics import HEADLINES
from dashboard.overview import overview
from dashboard.words import DASH, duration, measure, money, rate


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, DASH),
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1.0 min"),
        (3599, "60.0 min"),
        (3600, "1 h"),
        (4 * 3600 + 61, "4 h 1 min"),
        (86_399, "24 h"),
        (86_400, "1 d"),
        (100_800, "1 d 4 h"),
        (-90, "−1.5 min"),
    ],
)
def test_durations_use_two_units_at_most(seconds: float | None, said: str) -> None:
    assert duration(seconds).replace("\u00a0", " ") == said


def test_amounts_have_the_decimals_of_their_currency() -> None:
    assert money(Decimal("1234.5"), "EUR") == "1,234.50 EUR"
    assert money(Decimal("1234.0000"), "JPY") == "1,234 JPY"
    assert money(None, "EUR") == DASH
    assert money(Decimal("1.5"), None) == "1.50"


def test_the_name_of_a_metric_says_its_unit() -> None:
    assert measure(90, "pod_to_invoice_s") == duration(90)
    assert measure(0.5, "otif_rate") == rate(0.5)
    assert measure(1500, "shipments") == "1,500"


def row(metric: str, **values: Any) -> Kpi:
    base: dict[str, Any] = dict.fromkeys(Kpi.__dataclass_fields__) | {
        "metric": metric, "grain": "all", "dimension": "all", "dimension_value": "all", "n": 10,
    }  # fmt: skip
    return Kpi(**(base | values))


def card(*rows: Kpi) -> Any:
    (only,) = overview(Marts(None, rows), [])["cards"]
    return only


def test_a_target_is_met_up_to_its_very_value() -> None:
    target = next(each.target for each in HEADLINES if each.name == "pod_to_invoice_s")
    assert target == 4 * 3600
    assert card(row("pod_to_invoice_s", p50=4 * 3600)).verdict is True
    assert card(row("pod_to_invoice_s", p50=4 * 3600 + 1)).verdict is False
    assert card(row("pod_to_invoice_s", p50=60, p90=8 * 3600)).verdict is True
    assert card(row("pod_to_invoice_s", p50=60, p90=8 * 3600 + 1)).verdict is False
    assert card(row("pod_to_invoice_s", p50=None)).verdict is None
    assert card(row("same_day_invoice_rate", value=0.95)).verdict is True
    assert card(row("same_day_invoice_rate", value=0.9499)).verdict is False


def test_what_waybill_made_is_the_headline_and_what_was_made_by_hand_the_trend() -> None:
    shown = card(
        row("pod_to_invoice_s", p50=5000.0, n=30),
        row("pod_to_invoice_s", p50=40.0, n=10, dimension="made_by", dimension_value="waybill"),
        row("pod_to_invoice_s", p50=90_000.0, n=20, dimension="made_by", dimension_value="hand"),
    )
    assert (shown.value, shown.kpi.n, shown.improves) == (duration(40), 10, True)
    assert duration(90_000) in shown.trend


def test_a_rate_that_counts_what_is_not_invoiced_is_never_cut_by_who_invoiced() -> None:
    shown = card(
        row("same_day_invoice_rate", value=0.5, n=20, n_open=3),
        row("same_day_invoice_rate", value=1.0, n=10, dimension="made_by", dimension_value="waybill"),
    )
    assert (shown.value, shown.kpi.n, shown.n_open) == (rate(0.5), 20, 3)


def days(values: list[float]) -> list[Kpi]:
    start = date(2026, 11, 1)
    return [
        row("on_time_rate", grain="day", period_start=start + timedelta(days=number), value=value)
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("values", "improves"),
    [([0.8] * 7 + [0.9] * 7, True), ([0.9] * 7 + [0.8] * 7, False), ([0.9] * 14, None), ([0.9] * 7, None)],
)
def test_the_trend_compares_a_week_with_the_week_before(values: list[float], improves: bool | None) -> None:
    shown = card(row("on_time_rate", value=0.85), *days(values))
    assert shown.improves is improves
    assert (shown.trend is None) == (len(values) < 8)


def test_a_day_of_too_few_invoices_is_no_point_of_the_chart() -> None:
    day = row(
        "pod_to_invoice_s", grain="day", period_start=date(2026, 11, 1), p50=600.0, n=charts.LEAST_OF_A_DAY
    )
    assert charts.cycle_time([charts.Series("by hand", [day])], None, None) is not None
    fewer = replace(day, n=charts.LEAST_OF_A_DAY - 1)
    assert charts.cycle_time([charts.Series("by hand", [fewer])], None, None) is None
