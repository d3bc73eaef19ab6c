"""Published numbers from the serving copy. What they mean is the marts' business; here they are only read."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from contracts.kpi import Dimension, Grain, KpiPage, KpiValue
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


def published(settings: Settings, wanted: Wanted) -> KpiPage:
    """One page of published numbers; WaybillError when nothing that can be read was published."""
    parameters = {
        "grain": wanted.grain,
        "dimension": wanted.dimension,
        "metric": wanted.metric,
        "variant": wanted.variant,
        "dimension_value": wanted.dimension_value,
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
