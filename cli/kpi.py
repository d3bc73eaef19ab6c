"""``waybill kpi``: the published numbers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

import typer

from cli.as_of import AsOf, published
from cli.output import emit_json, out, table
from cli.restatements import show_restatements
from contracts.kpi import Dimension, Grain
from core.settings import get_settings
from core.warehouse import open_serving

_COLUMNS = (
    *("metric", "variant", "grain", "period_start", "dimension", "dimension_value", "unit", "currency"),
    *("n", "numerator", "denominator", "value", "p50", "p90", "p95", "n_open", "n_negative", "n_excluded"),
)

_SAID = ("grain", "dimension", "p50")
"""By the title, or by ``value``, which is the median."""


def kpi(
    metric: Annotated[
        str | None, typer.Argument(help="One metric; all when left out. docs/metrics.md defines each.")
    ] = None,
    grain: Annotated[Grain, typer.Option(help="Periods of which length; all = one number.")] = "all",
    dimension: Annotated[Dimension, typer.Option(help="What to cut it by; all = the total.")] = "all",
    restated: Annotated[
        bool,
        typer.Option(
            "--restated", help="Show instead which numbers changed after their period was over, and why."
        ),
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    as_of: AsOf = None,
) -> None:
    """Show what was published of each metric: value, percentiles, and how many rows it rests on."""
    if restated and as_of:
        raise typer.BadParameter(
            "either --restated or --as-of: what was published when is kept once, for today"
        )
    if restated:
        show_restatements(get_settings(), metric, grain, dimension, json_output=json_output)
        return
    with open_serving(published(get_settings(), as_of)) as marts:
        rows = marts.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM marts.kpi_values "
            "WHERE grain = $grain AND dimension = $dimension AND ($metric IS NULL OR metric = $metric) "
            "ORDER BY metric, variant, currency, dimension_value, period_start",
            {"grain": grain, "dimension": dimension, "metric": metric},
        ).fetchall()
        formulas = marts.execute(
            "SELECT metric, formula, settings FROM marts.dim_metrics "
            "WHERE metric = $metric OR ($metric IS NULL AND settings <> '') ORDER BY metric",
            {"metric": metric},
        ).fetchall()
    if not rows:
        raise typer.BadParameter(
            f"nothing is published of {metric or 'any metric'} for grain {grain!r} and dimension {dimension!r}; "
            "`waybill kpi` shows the metrics there are"
        )
    if json_output:
        emit_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    else:
        _print(rows, grain, dimension)
        for name, formula, settings in formulas:
            out.print(f"{name} = {formula}{f', with {settings}' if settings else ''}", markup=False)


def _print(rows: Sequence[Sequence[Any]], grain: str, dimension: str) -> None:
    """A table without the columns that are empty in every row or said elsewhere; ``--json`` has every digit."""
    said = {*_SAID, *(["dimension_value"] if dimension == "all" else [])}
    shown = [
        position
        for position, name in enumerate(_COLUMNS)
        if name not in said and any(row[position] is not None for row in rows)
    ]
    unit = _COLUMNS.index("unit")
    lines = [[_short(row[position], row[unit]) for position in shown] for row in rows]
    table(f"KPIs by {grain}, cut by {dimension}", [_COLUMNS[position] for position in shown], lines)


def _short(value: object, unit: str) -> object:
    """Money to the cent, the rest as far as one reads it."""
    if not isinstance(value, float | Decimal):
        return value
    if unit == "amount":
        return f"{value:,.2f}"
    return round(value) if abs(float(value)) >= 1000 else f"{value:.4g}"
