"""What the pages show, read from the serving copy and the state store. No formatting, no chart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import duckdb
from sqlalchemy import Engine

from core.connections import load_connections
from core.errors import ConfigurationError, WaybillError
from core.settings import Settings
from core.warehouse import open_serving
from dashboard.metrics import HEADLINE_VARIANTS, HEADLINES, UNBILLED
from state import decisions
from state.decisions import Decision
from state.engine import open_state
from state.home import has_state

_KPI_COLUMNS = (
    "metric, grain, period_start, dimension, dimension_value, n, numerator, denominator, value, p50, p90, "
    "n_open, n_negative, unit, currency, variant, as_of"
)


@dataclass(frozen=True)
class Kpi:
    """One row of ``kpi_values``, as far as the pages need it."""

    metric: str
    grain: str
    period_start: date | None
    dimension: str
    dimension_value: str
    n: int
    numerator: float | None
    denominator: float | None
    value: float | None
    p50: float | None
    p90: float | None
    n_open: int | None
    n_negative: int | None
    unit: str | None
    currency: str | None
    variant: str | None
    as_of: datetime | None

    @property
    def shown(self) -> float | None:
        """The headline of the row: the median of a duration, the value of everything else."""
        return self.p50 if self.is_duration else self.value

    @property
    def is_duration(self) -> bool:
        return self.metric.endswith("_s")


@dataclass(frozen=True)
class Marts:
    """Everything the overview needs from the serving copy, read at once."""

    as_of: datetime | None
    rows: tuple[Kpi, ...]
    go_live: datetime | None = None

    def total(self, metric: str) -> Kpi | None:
        """The metric over everything."""
        return next(iter(self.select(metric, "all", "all")), None)

    def select(self, metric: str, grain: str, dimension: str) -> list[Kpi]:
        """Rows of one metric in its headline variant, by period."""
        found = [
            row for row in self.rows if (row.metric, row.grain, row.dimension) == (metric, grain, dimension)
        ]
        chosen = next((each for each in HEADLINE_VARIANTS if any(row.variant == each for row in found)), None)
        if chosen is not None:
            found = [row for row in found if row.variant == chosen]
        return sorted(found, key=lambda row: row.period_start or date.min)

    def of(self, metric: str, dimension: str, value: str) -> Kpi | None:
        """The metric over all time for one value of a dimension."""
        return next(
            (row for row in self.select(metric, "all", dimension) if row.dimension_value == value), None
        )


@dataclass
class BlockedReason:
    """One blocking code over all standing decisions."""

    code: str
    owner: str = ""
    disposition: str = ""
    remedy: str = ""
    count: int = 0
    amounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def version(settings: Settings) -> int:
    """Changes whenever the serving copy is replaced; 0 when there is none."""
    return settings.serving.stat().st_mtime_ns if settings.serving.exists() else 0


def read_marts(settings: Settings) -> Marts | None:
    """The overview's numbers; None when nothing was published yet."""
    stamp = version(settings)
    return _read_marts(settings, stamp) if stamp else None


@lru_cache(maxsize=2)
def _read_marts(settings: Settings, _stamp: int) -> Marts:
    wanted = [metric.name for metric in HEADLINES] + [UNBILLED]
    with open_serving(settings) as serving:
        rows = _fetch(
            serving,
            f"SELECT {_KPI_COLUMNS} FROM marts.kpi_values WHERE metric IN (SELECT unnest(?)) "
            "AND grain IN ('all', 'day') ORDER BY metric, grain, period_start, dimension_value, currency",
            [wanted],
        )
    kpis = tuple(Kpi(**{**row, "n": row["n"] or 0}) for row in rows)
    moments = [row.as_of for row in kpis if row.as_of is not None]
    return Marts(max(moments, default=None), kpis, go_live(settings))


def _fetch(serving: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any]) -> list[dict[str, Any]]:
    try:
        cursor = serving.execute(sql, parameters)
    except duckdb.Error as error:
        raise WaybillError(
            f"The serving copy does not hold what this page reads: {error}",
            remedy="Publish it anew with `waybill run`.",
        ) from error
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def go_live(settings: Settings) -> datetime | None:
    """The first day on which a destination gets its invoices from Waybill; None when none says so."""
    try:
        connections = load_connections(settings.connections_dir)
    except ConfigurationError:
        return None
    days = [each.destination.go_live_at for each in connections if each.destination is not None]
    return min((each for each in days if each is not None), default=None)


@lru_cache(maxsize=2)
def engine_of(settings: Settings) -> Engine:
    """The state store of the home, opened once."""
    return open_state(settings)


def blocked(settings: Settings) -> list[Decision]:
    """The standing decisions that hold an invoice back, largest amounts first."""
    if not has_state(settings):
        return []
    standing = decisions.latest(engine_of(settings)).values()
    held = [each for each in standing if each.verdict == "blocked"]
    return sorted(held, key=lambda each: (-(each.amount or Decimal(0)), each.shipment_no))


def by_reason(held: Iterable[Decision]) -> list[BlockedReason]:
    """Blocking codes with count and amount by currency, most frequent first."""
    found: dict[str, BlockedReason] = {}
    for decision in held:
        for reason in decision.reasons:
            if reason["disposition"] in decisions.PASSING:
                continue
            entry = found.setdefault(reason["code"], BlockedReason(reason["code"]))
            entry.owner, entry.disposition = reason["owner"], reason["disposition"]
            entry.remedy = reason["remedy"]
            entry.count += 1
            if decision.amount is not None and decision.currency:
                entry.amounts[decision.currency] += decision.amount
    return sorted(found.values(), key=lambda each: (-each.count, each.code))


def unbilled(marts: Marts) -> dict[str, dict[str, Kpi]]:
    """Currency → age bucket → amount delivered and not posted; ``all`` is the currency's total."""
    found: dict[str, dict[str, Kpi]] = defaultdict(dict)
    for row in marts.rows:
        if row.metric == UNBILLED and row.grain == "all" and row.currency:
            if row.dimension == "all":
                found[row.currency]["all"] = row
            elif row.dimension == "age_days":
                found[row.currency][row.dimension_value] = row
    return dict(sorted(found.items()))
