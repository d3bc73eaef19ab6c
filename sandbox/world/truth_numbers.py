"""From facts to a metric's rows: what is in, what stands beside it, by period and by dimension.

A fact is one shipment, order or invoice under one metric. ``n`` counts those that are in; ``n_negative`` (ended before
they began), ``n_open`` (not ended) and ``n_excluded`` (cannot be judged) stand beside it. A number that hangs on the
moment of a posting that is still to come is written as ``[least, most]``; every other number is exact.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sandbox.world.moments import NOW

Row = dict[str, Any]
End = tuple[datetime, datetime]
"""An instant that lies between two; the same one twice where it is known."""
Span = tuple[float, float]
Kind = Literal["median", "ratio", "per_100", "mean", "sum", "per_day"]
PERCENTILES_FROM = 20
GRAINS: dict[str, Callable[[date], date | None]] = {
    "all": lambda day: None,
    "month": lambda day: day.replace(day=1),
    "week": lambda day: day - timedelta(days=day.weekday()),
    "day": lambda day: day,
}
DAYS = {"day": 1, "week": 7}


@dataclass(frozen=True)
class Subject:
    """Who a fact is about: on which clocks its days are, and what its numbers can be cut by."""

    zone: str
    cuts: Mapping[str, str | None] = field(default_factory=dict)

    def day(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.zone)).date()


@dataclass(frozen=True)
class Fact:
    metric: str
    variant: str
    kind: Kind
    standing: Literal["in", "open", "negative", "excluded"]
    day: date | None
    cuts: Mapping[str, str | None]
    span: Span | None = None
    numerator: int = 0
    denominator: int = 0
    amount: tuple[Decimal, Decimal] | None = None
    """Least and most; the same one twice where it is known."""
    currency: str | None = None


def at(moment: datetime | None) -> End | None:
    return (moment, moment) if moment else None


def spent(
    metric: str,
    about: Subject,
    begun: datetime | None,
    ended: End | None,
    is_unsure: bool = False,
    variant: str = "default",
    measured: Span | None = None,
) -> list[Fact]:
    """A length of time, on the day of its end. What ended without a known begin cannot be judged.

    ``measured`` is how long it took where that is not the time between the two. What is open has an age.
    """
    if begun is None and ended is None:
        return []

    def fact(standing: Any, moment: datetime, span: Span | None = None, **more: str) -> list[Fact]:
        cuts = {**about.cuts, **more}
        return [Fact(metric, variant, "median", standing, about.day(moment), cuts, span)]

    if ended is None:
        return fact("open", NOW, age_days=age(begun)) if begun else []
    if begun is None or is_unsure:
        return fact("excluded", ended[0])
    if ended[1] < begun:
        return fact("negative", ended[0])
    took = ((ended[0] - begun).total_seconds(), (ended[1] - begun).total_seconds())
    return fact("in", ended[0], measured or took)


def age(begun: datetime) -> str:
    """How old is what began then, in classes of days."""
    days = (NOW - begun) / timedelta(days=1)
    return next((name for most, name in ((1, "0-1"), (3, "1-3"), (7, "3-7")) if days < most), "7+")


def judged(
    metric: str, about: Subject, moment: datetime | None, is_met: bool | None, variant: str = "default"
) -> list[Fact]:
    """Whether it meets the metric; None cannot be told. Without a moment it belongs to no day, and to all of time alone."""
    standing: Any = "excluded" if is_met is None else "in"
    return [
        Fact(
            metric,
            variant,
            "ratio",
            standing,
            about.day(moment) if moment else None,
            about.cuts,
            numerator=int(bool(is_met)),
            denominator=1,
        )
    ]


def summed(
    metric: str,
    about: Subject,
    moment: datetime,
    amount: tuple[Decimal, Decimal] | None,
    currency: str | None,
    kind: Kind = "sum",
) -> list[Fact]:
    """An amount that is added up; one that is not known is left out and counted."""
    standing: Any = "excluded" if amount is None or currency is None else "in"
    day = about.day(moment)
    return [Fact(metric, "default", kind, standing, day, about.cuts, amount=amount, currency=currency)]


def rows(facts: Iterable[Fact], grains: Iterable[str], dimensions: Iterable[str]) -> list[Row]:
    """Each number from its own facts: by every one of ``grains`` (see GRAINS) and ``dimensions`` (``all`` is one)."""
    wanted, groups = list(dimensions), defaultdict[tuple[Any, ...], list[Fact]](list)
    for fact in facts:
        name = (fact.metric, fact.variant, fact.currency, fact.kind)
        values = [(each, "all" if each == "all" else fact.cuts.get(each)) for each in wanted]
        for grain in grains:
            if fact.day is None and grain != "all":
                continue
            start = GRAINS[grain](fact.day) if fact.day else None
            for dimension, value in values:
                if value is not None:
                    groups[(*name, grain, start, dimension, value)].append(fact)
    return [_row(key, group) for key, group in groups.items()]


def _row(key: tuple[Any, ...], facts: list[Fact]) -> Row:
    metric, variant, currency, kind, grain, start, dimension, value = key
    row: Row = {
        "metric": metric,
        "variant": variant,
        "currency": currency,
        "grain": grain,
        "period_start": str(start) if start else None,
        "dimension": dimension,
        "dimension_value": value,
    }
    row |= {
        f"n{suffix}": sum(fact.standing == standing for fact in facts)
        for suffix, standing in (
            ("", "in"),
            ("_open", "open"),
            ("_negative", "negative"),
            ("_excluded", "excluded"),
        )
    }
    row |= dict.fromkeys(("numerator", "denominator", "value", "p50", "p90", "p95"))
    known = [fact for fact in facts if fact.standing == "in"]
    row |= _percentiles([fact.span for fact in known if fact.span])
    if kind == "median":
        row["value"] = row["p50"]
    elif kind in ("sum", "per_day"):
        row["value"] = _total(known, kind, _days(grain, start, facts))
    else:
        over, under = sum(fact.numerator for fact in known), sum(fact.denominator for fact in known)
        factor = 100 if kind == "per_100" else 1
        row |= {"numerator": over, "denominator": under, "value": factor * over / under if under else None}
    return row


def _total(known: list[Fact], kind: Kind, days: int) -> str | list[float] | None:
    """The exact sum as text, or the least and the most of what is gained a day."""
    amounts = [fact.amount for fact in known if fact.amount]
    if not amounts:
        return None
    least, most = (sum(each, Decimal(0)) for each in zip(*amounts, strict=True))
    return str(least) if kind == "sum" else [float(least) / days, float(most) / days]


def _days(grain: str, start: date | None, facts: list[Fact]) -> int:
    if grain == "month" and start:
        return ((start + timedelta(days=31)).replace(day=1) - start).days
    span = [fact.day for fact in facts if fact.day]
    return DAYS.get(grain) or (max(span) - min(span)).days + 1


def _percentiles(spans: list[Span]) -> Row:
    """Observed values; the high ones from twenty on."""
    if not spans:
        return {}
    least, most = (sorted(each) for each in zip(*spans, strict=True))

    def quantile(share: float) -> float | list[float]:
        place = max(0, math.ceil(share * len(spans)) - 1)
        return least[place] if least[place] == most[place] else [least[place], most[place]]

    found: Row = {"p50": quantile(0.5)}
    if len(spans) >= PERCENTILES_FROM:
        found |= {"p90": quantile(0.9), "p95": quantile(0.95)}
    return found
