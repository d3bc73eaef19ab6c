"""Published numbers from the serving copy, as far as whoever asks may read them. What they mean is the marts' business.

A cut by customer, carrier or connection shows a partner those that it reaches. Totals and the other cuts are of the whole
installation.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from contracts.kpi import Dimension, Grain, KpiPage, KpiValue
from core.connections import Connection
from core.errors import WaybillError
from core.settings import Settings
from core.warehouse import open_serving

MOST = 10_000
"""Rows of one answer."""

_COLUMNS = tuple(KpiValue.model_fields)
_SELECT = f"""
    SELECT {", ".join(_COLUMNS)} FROM marts.kpi_values
    WHERE grain = $grain AND dimension = $dimension
      AND ($metric IS NULL OR metric = $metric)
      AND ($variant IS NULL OR variant = $variant)
      AND ($dimension_value IS NULL OR dimension_value = $dimension_value)
      AND (CAST($reached AS VARCHAR[]) IS NULL OR list_contains(CAST($reached AS VARCHAR[]), dimension_value))
    ORDER BY metric, variant, currency, dimension_value, period_start
    LIMIT $most OFFSET $skipped
"""


@dataclass(frozen=True)
class Wanted:
    """Which numbers; None means every one."""

    metric: str | None
    variant: str | None
    grain: Grain
    dimension: Dimension
    dimension_value: str | None
    limit: int
    offset: int


def published(settings: Settings, connection: Connection, wanted: Wanted) -> KpiPage:
    """One page of what a partner may read; WaybillError when nothing that can be read was published."""
    parameters = {
        "grain": wanted.grain,
        "dimension": wanted.dimension,
        "metric": wanted.metric,
        "variant": wanted.variant,
        "dimension_value": wanted.dimension_value,
        "reached": _reached(connection, wanted.dimension),
        # One more than asked for tells whether there is more.
        "most": wanted.limit + 1,
        "skipped": wanted.offset,
    }
    with open_serving(settings) as marts:
        try:
            rows = marts.execute(_SELECT, parameters).fetchall()
        except duckdb.Error as error:
            raise WaybillError(
                f"The serving copy does not hold what is asked for: {error}",
                remedy="Publish it anew with `waybill run`.",
            ) from error
    found = [KpiValue.model_validate(dict(zip(_COLUMNS, row, strict=True))) for row in rows[: wanted.limit]]
    more = wanted.offset + wanted.limit if len(rows) > wanted.limit else None
    return KpiPage(rows=tuple(found), next_offset=more)


def _reached(connection: Connection, dimension: Dimension) -> list[str] | None:
    """The values of a cut that a partner may read; None where that is all of them."""
    reach = connection.reach
    bound = {
        "customer": reach.customers,
        "carrier": reach.carriers,
        "connection": (connection.connection, *reach.connections),
    }
    return list(bound[dimension]) if dimension in bound else None
