"""The rows behind one number: which shipments are in, which are out or still open, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb

from core.errors import WaybillError
from core.settings import Settings
from core.warehouse import open_serving
from dashboard.metrics import HEADLINE_VARIANTS

SHOWN = 200
_VARIANT = """
    SELECT variant FROM marts.kpi_facts WHERE metric = ? GROUP BY variant
    ORDER BY coalesce(list_position(?, variant), 99), variant LIMIT 1
"""
_STANDINGS = """
    SELECT standing, made_by, why, count(*) AS rows FROM marts.kpi_facts WHERE metric = ? AND variant = ?
    GROUP BY standing, made_by, why ORDER BY (standing <> 'in'), made_by DESC NULLS LAST, rows DESC, why
"""
_ROWS = """
    SELECT entity_no, standing, made_by, why, period_date, duration_s, amount, currency, numerator
    FROM marts.kpi_facts WHERE metric = ? AND variant = ? AND standing <> 'out'
    ORDER BY (standing = 'in'), numerator, duration_s DESC, amount DESC, entity_no LIMIT ?
"""


@dataclass(frozen=True)
class Standing:
    """How many rows are in, open, negative, excluded or out for one reason."""

    standing: str
    made_by: str | None
    why: str | None
    rows: int


@dataclass(frozen=True)
class Fact:
    """One shipment, order or invoice and what it brings to the number."""

    entity_no: str
    standing: str
    made_by: str | None
    why: str | None
    day: date | None
    duration_s: float | None
    amount: Decimal | None
    currency: str | None
    numerator: int | None


@dataclass(frozen=True)
class Drill:
    """A metric's rows: counts by standing, and the worst ``SHOWN`` of them."""

    variant: str
    standings: tuple[Standing, ...]
    facts: tuple[Fact, ...]


def drill(settings: Settings, metric: str) -> Drill | None:
    """The rows of a metric in its headline variant; None when it has none."""
    with open_serving(settings) as serving:
        try:
            found = serving.execute(_VARIANT, [metric, list(HEADLINE_VARIANTS)]).fetchone()
            if found is None:
                return None
            standings = serving.execute(_STANDINGS, [metric, found[0]]).fetchall()
            rows = serving.execute(_ROWS, [metric, found[0], SHOWN]).fetchall()
        except duckdb.Error as error:
            raise WaybillError(
                f"The serving copy does not hold the rows behind {metric}: {error}",
                remedy="Publish it anew with `waybill run`.",
            ) from error
    return Drill(str(found[0]), tuple(Standing(*row) for row in standings), tuple(Fact(*row) for row in rows))
