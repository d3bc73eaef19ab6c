"""Charts as SVG, drawn on the server. Colours are placeholders that the style sheet replaces by theme.

Belongs here: Altair specifications and their rendering. What is drawn comes from ``dashboard.data``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.data import BlockedReason, Kpi

INK, MUTED, GRID = "#111111", "#777777", "#dddddd"
FIRST, SECOND, MARK, GOAL = "#0000a1", "#0000a2", "#0000a3", "#0000a4"
"""Placeholders; ``style.css`` says what they look like in light, dark and print."""
LEAST_OF_A_DAY = 5
"""Rows of a day whose median is drawn: that of three is no trend. The table beside the chart has every day."""
WIDTH, HEIGHT = 500, 220
NARROW = 290
"""Plot widths in pixels: beside another chart, and on a telephone, where scaling down would shrink the text."""
_ROLES = re.compile(r'\s(?:role|aria-[a-z]+|focusable|tabindex)="[^"]*"')
_SIZE = re.compile(r'<svg\b([^>]*?)\swidth="[\d.]+"\sheight="[\d.]+"')


@dataclass(frozen=True)
class Drawing:
    """One chart twice; the style sheet shows the one that fits."""

    wide: str
    narrow: str


@dataclass(frozen=True)
class Series:
    """One line: its name and its daily rows."""

    name: str
    rows: Sequence[Kpi]


def cycle_time(series: Iterable[Series], go_live: datetime | None, target_s: float | None) -> Drawing | None:
    """Median hours by day on a logarithmic axis, because by hand and by machine differ by magnitudes; None where no day has
    ``LEAST_OF_A_DAY`` rows."""
    import altair as alt

    values = [
        {"day": row.period_start.isoformat(), "seconds": max(float(row.p50), 1.0), "who": each.name}
        for each in series
        for row in each.rows
        if row.p50 is not None and row.period_start is not None and row.n >= LEAST_OF_A_DAY
    ]
    if not values:
        return None
    base = alt.Chart(alt.Data(values=values)).encode(
        x=_days(alt, values),
        y=alt.Y(
            "seconds:Q",
            title=None,
            scale=alt.Scale(type="log", nice=False, domain=_around(values, target_s)),
            axis=alt.Axis(
                values=[1, 10, 60, 600, 3600, 6 * 3600, 86_400, 7 * 86_400, 30 * 86_400],
                labelExpr="datum.value < 60 ? datum.value + ' s' : datum.value < 3600 ? datum.value / 60 + ' min'"
                " : datum.value < 86400 ? datum.value / 3600 + ' h' : datum.value / 86400 + ' d'",
            ),
        ),
        color=_who(alt),
    )
    layers = [base.mark_line(strokeWidth=2), base.mark_circle(size=38, opacity=1)]
    if target_s is not None:
        goal = alt.Chart(alt.Data(values=[{"seconds": target_s}])).encode(y="seconds:Q")
        layers.insert(0, goal.mark_rule(color=GOAL, strokeDash=[2, 3], strokeWidth=1.5))
    return _drawing(alt, [*_go_live(alt, go_live), *layers])


def _around(values: Sequence[dict[str, Any]], target_s: float | None) -> list[float]:
    """The range of the axis: all values and the target, with room above and below."""
    seconds = [each["seconds"] for each in values] + ([] if target_s is None else [target_s])
    return [min(seconds) / 2, max(seconds) * 2]


def daily_spread(rows: Sequence[Kpi], go_live: datetime | None) -> Drawing | None:
    """Median and ninth decile in hours by day."""
    import altair as alt

    values = [
        {"day": row.period_start.isoformat(), "hours": float(seconds) / 3600, "who": name}
        for row in rows
        if row.period_start is not None
        for name, seconds in (("median", row.p50), ("p90", row.p90))
        if seconds is not None
    ]
    if not values:
        return None
    base = alt.Chart(alt.Data(values=values)).encode(
        x=_days(alt, values),
        y=alt.Y("hours:Q", title=None, axis=alt.Axis(labelExpr="datum.value + ' h'", tickCount=5)),
        color=_who(alt, ["median", "p90"]),
    )
    return _drawing(
        alt, [*_go_live(alt, go_live), base.mark_line(strokeWidth=2), base.mark_circle(size=30, opacity=1)]
    )


def reasons(rows: Sequence[BlockedReason], limit: int = 12) -> Drawing | None:
    """Blocked invoices per code, most frequent first."""
    import altair as alt

    values = [{"code": each.code, "count": each.count} for each in rows[:limit]]
    if not values:
        return None
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y("code:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False)),
        x=alt.X("count:Q", title=None, axis=None),
    )
    bars = base.mark_bar(color=FIRST, height=14, cornerRadiusEnd=2)
    labels = base.mark_text(align="left", dx=5, color=INK).encode(text="count:Q")
    return _drawing(alt, [bars, labels], widths=(330, 150), height=28 * len(values))


def _days(alt: Any, values: Sequence[dict[str, Any]]) -> Any:
    """Days from left to right; with few of them one tick each, so that no label comes twice."""
    few = len({each["day"] for each in values}) <= 8
    ticks = {"interval": "day", "step": 1} if few else 6
    return alt.X(
        "day:T",
        title=None,
        axis=alt.Axis(format="%d %b", grid=False, tickCount=ticks, labelFlush=True, labelOverlap=True),
    )


def _who(alt: Any, names: Sequence[str] = ("by hand", "by Waybill")) -> Any:
    scale = alt.Scale(domain=list(names), range=[SECOND, FIRST] if names[0] == "by hand" else [FIRST, SECOND])
    return alt.Color("who:N", scale=scale, legend=None)


def _go_live(alt: Any, moment: datetime | None) -> list[Any]:
    """The line from which on the invoices are Waybill's."""
    if moment is None:
        return []
    base = alt.Chart(alt.Data(values=[{"day": moment.date().isoformat(), "text": "go-live"}])).encode(
        x="day:T"
    )
    return [
        base.mark_rule(color=MARK, strokeWidth=1),
        base.mark_text(align="right", dx=-6, dy=-6, baseline="bottom", color=MARK).encode(
            text="text:N", y=alt.value(HEIGHT)
        ),
    ]


def _drawing(
    alt: Any, layers: list[Any], widths: tuple[int, int] = (WIDTH, NARROW), height: int = HEIGHT
) -> Drawing:
    """The layers as two inline SVGs without a size of their own."""
    wide, narrow = (_svg(alt, layers, width, height) for width in widths)
    return Drawing(wide, narrow)


def _svg(alt: Any, layers: list[Any], width: int, height: int) -> str:
    import vl_convert

    chart = (
        alt.layer(*layers)
        .properties(width=width, height=height, background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=MUTED,
            gridColor=GRID,
            domainColor=GRID,
            tickColor=GRID,
            labelFontSize=12,
            labelPadding=6,
        )
        .configure_text(fontSize=12.5)
    )
    drawn: str = vl_convert.vegalite_to_svg(chart.to_json(validate=False))
    return inline(drawn)


def inline(svg: str) -> str:
    """SVG for use inside a page: sized by the style sheet, silent to screen readers (a table says the same)."""
    return _SIZE.sub(r'<svg\1 aria-hidden="true" focusable="false"', _ROLES.sub("", svg), count=1)
