"""The executive overview put together: cards, charts and tables from the marts and the standing decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from dashboard import charts
from dashboard.data import BlockedReason, Kpi, Marts, by_reason, unbilled
from dashboard.metrics import AGE_BUCKETS, HEADLINES, Metric
from dashboard.words import measure
from state.decisions import Decision

TREND_DAYS = 7
MADE_BY = {"hand": "by hand", "waybill": "by Waybill"}


@dataclass(frozen=True)
class Card:
    """One headline as shown. ``verdict``: whether the target is met, None without target. ``n_open``: of all,
    because what is open was made by nobody yet."""

    metric: Metric
    kpi: Kpi
    value: str
    p90: str | None
    target: str | None
    verdict: bool | None
    trend: str | None
    improves: bool | None
    n_open: int


def overview(marts: Marts, held: Sequence[Decision]) -> dict[str, Any]:
    """The variables of ``overview.html``."""
    reasons = by_reason(held)
    return {
        "marts": marts,
        "cards": [card for metric in HEADLINES if (card := _card(marts, metric)) is not None],
        "charts": _charts(marts, reasons),
        "pod_to_invoice": _made_by(marts),
        "least_of_a_day": charts.LEAST_OF_A_DAY,
        "order_to_dispatch": marts.select("order_to_dispatch_s", "day", "all")[-14:],
        "reasons": reasons,
        "held": len(held),
        "unbilled": unbilled(marts),
        "ages": AGE_BUCKETS,
    }


def _card(marts: Marts, metric: Metric) -> Card | None:
    """The headline, of Waybill's own invoices where the marts tell who made them."""
    total = marts.total(metric.name)
    kpi = (marts.of(metric.name, "made_by", "waybill") if metric.by_maker else None) or total
    if kpi is None:
        return None
    trend, improves = _trend(marts, metric, kpi)
    return Card(
        metric=metric,
        kpi=kpi,
        value=measure(kpi.shown, metric.name),
        p90=measure(kpi.p90, metric.name) if kpi.is_duration and kpi.p90 is not None else None,
        target=_target(metric),
        verdict=metric.meets(kpi.shown, kpi.p90),
        trend=trend,
        improves=improves,
        n_open=(total or kpi).n_open or 0,
    )


def _target(metric: Metric) -> str | None:
    if metric.target is None:
        return None
    sign = "≤" if metric.better == "lower" else "≥"
    text = f"{sign} {measure(metric.target, metric.name)}"
    if metric.target_p90 is not None:
        text += f", p90 {sign} {measure(metric.target_p90, metric.name)}"
    return text


def _trend(marts: Marts, metric: Metric, kpi: Kpi) -> tuple[str | None, bool | None]:
    """Against the invoices made by hand where known; else the last seven days against the seven before."""
    by_hand = marts.of(metric.name, "made_by", "hand") if metric.by_maker else None
    if by_hand is not None and by_hand.shown is not None and kpi.shown is not None:
        return f"by hand it was {measure(by_hand.shown, metric.name)}", _is_better(
            metric, kpi.shown, by_hand.shown
        )
    days = [
        (row.period_start, float(row.shown))
        for row in marts.select(metric.name, "day", "all")
        if row.period_start is not None and row.shown is not None
    ]
    if not days:
        return None, None
    week = timedelta(days=TREND_DAYS)
    split = days[-1][0] - week
    recent = [shown for start, shown in days if start > split]
    earlier = [shown for start, shown in days if split - week < start <= split]
    if not recent or not earlier:
        return None, None
    now, then = median(recent), median(earlier)
    text = f"typical day {measure(now, metric.name)}, a week before {measure(then, metric.name)}"
    return text, _is_better(metric, now, then)


def _is_better(metric: Metric, now: float, then: float) -> bool | None:
    if now == then:
        return None
    return (now < then) == (metric.better == "lower")


def _made_by(marts: Marts) -> list[charts.Series]:
    """Daily POD-to-invoice rows by who made the invoice; by go-live where the marts do not tell."""
    rows = marts.select("pod_to_invoice_s", "day", "made_by")
    if rows:
        return [
            charts.Series(name, [row for row in rows if row.dimension_value == value])
            for value, name in MADE_BY.items()
        ]
    rows = marts.select("pod_to_invoice_s", "day", "all")
    start = marts.go_live.date() if marts.go_live else None
    before = [row for row in rows if start and row.period_start and row.period_start < start]
    after = [row for row in rows if row not in before]
    return [charts.Series("by hand", before), charts.Series("by Waybill", after)]


def _charts(marts: Marts, reasons: Sequence[BlockedReason]) -> dict[str, charts.Drawing | None]:
    goal = next(metric.target for metric in HEADLINES if metric.name == "pod_to_invoice_s")
    return {
        "pod_to_invoice": charts.cycle_time(_made_by(marts), marts.go_live, goal),
        "order_to_dispatch": charts.daily_spread(
            marts.select("order_to_dispatch_s", "day", "all"), marts.go_live
        ),
        "reasons": charts.reasons(reasons),
    }
