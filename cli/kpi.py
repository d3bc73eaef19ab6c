"""``waybill kpi``: the published numbers."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import emit_json, table
from core.settings import get_settings
from core.warehouse import open_serving

_COLUMNS = (
    *("metric", "variant", "grain", "period_start", "dimension", "dimension_value", "unit", "currency"),
    *("n", "numerator", "denominator", "value", "p50", "p90", "p95", "n_open", "n_negative", "n_excluded"),
)


def kpi(
    metric: Annotated[str | None, typer.Argument(help="One metric; all when left out.")] = None,
    grain: Annotated[str, typer.Option(help="day, week, month or all.")] = "all",
    dimension: Annotated[str, typer.Option(help="all, depot, customer …")] = "all",
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show KPI values from the serving copy."""
    with open_serving(get_settings()) as marts:
        rows = marts.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM marts.kpi_values "
            "WHERE grain = $grain AND dimension = $dimension AND ($metric IS NULL OR metric = $metric) "
            "ORDER BY metric, variant, currency, dimension_value, period_start",
            {"grain": grain, "dimension": dimension, "metric": metric},
        ).fetchall()
    if not rows:
        raise typer.BadParameter(
            f"no value of {metric or 'any metric'} for grain {grain!r} and dimension {dimension!r}"
        )
    if json_output:
        emit_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    else:
        table("KPIs", _COLUMNS, rows)
