"""Which published numbers changed after their period was over, why, and by which rows: from one run to the next.

Belongs here: the comparison of runs, whoever computed their numbers. What had arrived is in ``arrivals``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, NamedTuple

import polars as pl

from tests.reference.arrivals import Arrived
from tests.reference.facts import DIMENSIONS

NUMBER = ("metric", "variant", "unit", "currency", "grain", "period_start", "dimension", "dimension_value")
SAYS = ("value", "n", "numerator", "denominator", "p90", "p95")
_DECIDES = (
    "metric", "variant", "currency", "entity_type", "entity_id", "entity_no", "period_date", "duration_s", "amount", "numerator",
    "denominator", *DIMENSIONS,
)  # fmt: skip
_LAST_ON_EARTH = timezone(timedelta(hours=-12))
_NAMED = 20

Number = tuple[Any, ...]
Said = tuple[Any, ...]
Entity = tuple[str, str, str]
"""Its number, its kind, its key."""


class Run(NamedTuple):
    """What a run published and the rows behind it, and what had arrived since the one before."""

    as_of: datetime
    facts: pl.DataFrame
    values: pl.DataFrame
    arrived: Arrived


@dataclass
class Published:
    version: int
    says: Said
    published_at: datetime


def restatements(runs: list[Run]) -> pl.DataFrame:
    """One row per number of a period that was over when somebody had published it, and says something else now."""
    latest: dict[Number, Published] = {}
    found: list[dict[str, Any]] = []
    for before, run in zip([None, *runs], runs, strict=False):
        said = _said(run)
        there = {(key[0], key[1], key[6]) for key in latest}
        moved = _moved(before.facts, run.facts) if before else {}
        for key in {*said, *latest}:
            old, new = latest.get(key), said.get(key, _nothing(key))
            if old and old.says == new:
                continue
            was_over = before and (key[0], key[1], key[6]) in there and is_over(key[4], key[5], before.as_of)
            if before and (old or was_over):
                at = old.published_at if old else before.as_of
                found.append(_row(key, old, new, at, run, moved.get(_place(key), set())))
            latest[key] = Published(old.version + 1 if old else 1, new, run.as_of)
    return pl.DataFrame(found, infer_schema_length=None)


def is_over(grain: str, start: date, as_of: datetime) -> bool:
    """In every zone of the earth, the last of which is twelve hours behind."""
    if grain == "month":
        end = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        end = start + timedelta(days={"day": 1, "week": 7}[grain])
    return as_of.astimezone(_LAST_ON_EARTH).date() >= end


def _said(run: Run) -> dict[Number, Said]:
    shown = run.values.filter((pl.col("grain") != "all") & (pl.col("n") > 0))
    shown = shown.with_columns(pl.col("value").round(6))
    return {
        row[: len(NUMBER)]: row[len(NUMBER) :]
        for row in shown.select(*NUMBER, *SAYS).iter_rows()
        if is_over(row[4], row[5], run.as_of)
    }


def _nothing(key: Number) -> Said:
    """What a number says that has no row any more."""
    return tuple(0 if name == "n" else None for name in SAYS)


def _place(key: Number) -> tuple[Any, ...]:
    metric, variant, _, currency, grain, start, dimension, value = key
    return metric, variant, currency, grain, start, dimension, value


def _moved(before: pl.DataFrame, after: pl.DataFrame) -> dict[tuple[Any, ...], set[Entity]]:
    """By each number that they move, the rows that count otherwise: where they counted, and where they count now."""
    old, new = (set(each.filter(standing="in").select(_DECIDES).iter_rows()) for each in (before, after))
    found: defaultdict[tuple[Any, ...], set[Entity]] = defaultdict(set)
    for row in old ^ new:
        fact = dict(zip(_DECIDES, row, strict=True))
        day = fact["period_date"]
        if day is None:
            continue
        starts = {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}
        values = {"all": "all"} | {name.removesuffix("_id"): fact[name] for name in DIMENSIONS}
        for grain, start in starts.items():
            for dimension, value in values.items():
                place = (fact["metric"], fact["variant"], fact["currency"], grain, start, dimension, value)
                found[place].add((fact["entity_no"], fact["entity_type"], fact["entity_id"]))
    return found


def _row(
    key: Number, old: Published | None, new: Said, at: datetime, run: Run, moved: set[Entity]
) -> dict[str, Any]:
    says = old.says if old else _nothing(key)
    causes = {run.arrived.cause(kind, no) for no, kind, _ in moved}
    names = [no for no, _, _ in sorted(moved)[:_NAMED]]
    return {
        **dict(zip(NUMBER, key, strict=True)),
        "version": old.version + 1 if old else 1,
        **{f"{name}_before": value for name, value in zip(SAYS, says, strict=True)},
        **{f"{name}_after": value for name, value in zip(SAYS, new, strict=True)},
        "cause": next((each for each in ("correction", "late event") if each in causes), "definition or deadline"),
        "entity_count": len({(kind, row) for _, kind, row in moved}), "entities": " ".join(names) or None,
        "published_before_at": at, "restated_at": run.as_of,
    }  # fmt: skip
