"""The shapes of a metric's row: a cycle time, a rate, a sum. What goes into one is decided elsewhere.

``n`` counts the rows that are in; ``n_negative`` (ended before they began), ``n_open`` (not ended) and
``n_excluded`` (cannot be judged) stand beside it. A number that hangs on the moment of a posting that is still
to come is written as ``[least, most]``; every other number is exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
End = tuple[datetime, datetime]
"""An instant that lies between two; the same one twice where it is known."""
Item = tuple[datetime | None, End | None, bool]
"""What begins, what ends, and whether one of its times is not sure."""
PERCENTILES_FROM = 20


def at(moment: datetime | None) -> End | None:
    return (moment, moment) if moment else None


def cycle(metric: str, items: Iterable[Item], variant: str = "default", **more: Any) -> Row:
    """From begin to end in seconds. What ended without a known begin cannot be judged."""
    row = _blank(metric, variant, more)
    spans: list[tuple[float, float]] = []
    for begun, ended, is_unsure in items:
        if ended is None:
            row["n_open"] += begun is not None
        elif begun is None or is_unsure:
            row["n_excluded"] += 1
        elif ended[1] < begun:
            row["n_negative"] += 1
        else:
            spans.append(((ended[0] - begun).total_seconds(), (ended[1] - begun).total_seconds()))
    least, most = (sorted(each) for each in zip(*spans, strict=True)) if spans else ([], [])

    def quantile(share: float) -> float | list[float]:
        place = max(0, math.ceil(share * len(spans)) - 1)
        return least[place] if least[place] == most[place] else [least[place], most[place]]

    row["n"] = len(spans)
    if spans:
        row["value"] = row["p50"] = quantile(0.5)
    if len(spans) >= PERCENTILES_FROM:
        row |= {"p90": quantile(0.9), "p95": quantile(0.95)}
    return row


def rate(metric: str, judged: Iterable[bool | None], variant: str = "default", **more: Any) -> Row:
    """What meets it among what can be judged; None cannot be."""
    verdicts = list(judged)
    known = [each for each in verdicts if each is not None]
    return _blank(metric, variant, more) | {
        "n": len(known),
        "numerator": sum(known),
        "denominator": len(known),
        "value": sum(known) / len(known) if known else None,
        "n_excluded": len(verdicts) - len(known),
    }


def amount(metric: str, currency: str | None, amounts: Iterable[Decimal | None]) -> Row:
    """A sum in one currency; an amount that is not known is left out and counted."""
    given = list(amounts)
    known = [each for each in given if each is not None]
    return _blank(metric, "default", {"currency": currency}) | {
        "n": len(known),
        "value": str(sum(known, Decimal(0))) if known else None,
        "n_excluded": len(given) - len(known),
    }


def _blank(metric: str, variant: str, more: Row) -> Row:
    empty = dict.fromkeys(("currency", "numerator", "denominator", "value", "p50", "p90", "p95"))
    counts = dict.fromkeys(("n", "n_open", "n_negative", "n_excluded"), 0)
    cut = {"dimension": "all", "dimension_value": "all"}
    return {"metric": metric, "variant": variant, **cut, **counts, **empty, **more}
