"""``waybill kpi --restated``: what changed in published numbers of periods that were over."""

from __future__ import annotations

from typing import Any

from cli.output import emit_json, err, table
from contracts.kpi import Dimension, Grain
from core.settings import Settings
from core.warehouse import open_serving

_COLUMNS = (
    *("restated_at", "metric", "variant", "currency", "grain", "period_start", "dimension_value"),
    *("value_before", "value_after", "n_before", "n_after", "cause", "entities"),
)
_SHOWN = (
    "metric",
    "variant",
    "grain",
    "period_start",
    "dimension_value",
    "value_before",
    "value_after",
    "cause",
)
"""What one reads beside each other; ``--json`` has the rest, and the rows that moved it."""
_SQL = f"""
    SELECT {", ".join(_COLUMNS)} FROM marts.kpi_restatements
    WHERE dimension = $dimension AND $grain IN ('all', grain) AND ($metric IS NULL OR metric = $metric)
    ORDER BY restated_at DESC, metric, variant, currency, grain, period_start, dimension_value
"""


def show_restatements(
    settings: Settings, metric: str | None, grain: Grain, dimension: Dimension, *, json_output: bool
) -> None:
    """The newest change first; a number over all time is never final, so ``all`` means every length of period."""
    with open_serving(settings) as marts:
        rows: list[tuple[Any, ...]] = marts.execute(
            _SQL, {"metric": metric, "grain": grain, "dimension": dimension}
        ).fetchall()
    if json_output:
        emit_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    elif rows:
        shown = [_COLUMNS.index(name) for name in _SHOWN]
        table(
            "Numbers that changed after their period was over",
            _SHOWN,
            [[row[at] for at in shown] for row in rows],
        )
    else:
        err.print(f"Nothing that was published of {metric or 'any metric'} was restated.")
