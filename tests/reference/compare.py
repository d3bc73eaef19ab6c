"""Two frames with one key, row by row: what only one of them has, and where they say different things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

TOLERANCE = 1e-6
"""Published values have six decimals."""


def differences(
    ours: pl.DataFrame,
    theirs: pl.DataFrame,
    key: Sequence[str],
    measures: Sequence[str],
    slack: Mapping[str, float] | None = None,
) -> list[str]:
    """One line per row that is on one side alone, and per measure that differs; empty when they agree.

    ``slack``: by how much a measure may be off, where it is published with fewer decimals.
    """
    left = _typed(ours, key, measures, "reference")
    right = _typed(theirs, key, measures, "marts")
    both = left.join(right, on=key, how="full", coalesce=True, nulls_equal=True)
    found = [f"only the marts have {row}" for row in _rows(both, "in_reference", key)]
    found += [f"only the reference has {row}" for row in _rows(both, "in_marts", key)]
    shared = both.filter(pl.col("in_reference").is_not_null() & pl.col("in_marts").is_not_null())
    for measure in measures:
        here, there = f"{measure}_reference", f"{measure}_marts"
        for row in shared.filter(
            ~_equal(here, there, shared.schema[here], (slack or {}).get(measure, TOLERANCE))
        ).iter_rows(named=True):
            place = tuple(row[name] for name in key)
            found.append(f"{measure} of {place}: reference {row[here]}, marts {row[there]}")
    return found


def _typed(frame: pl.DataFrame, key: Sequence[str], measures: Sequence[str], side: str) -> pl.DataFrame:
    kinds = {name: pl.Float64() for name, kind in frame.schema.items() if kind.is_numeric()}
    named = {name: f"{name}_{side}" for name in measures}
    return (
        frame.select(*key, *measures)
        .cast({n: k for n, k in kinds.items() if n in measures})
        .rename(named)
        .with_columns(pl.lit(value=True).alias(f"in_{side}"))
    )


def _rows(both: pl.DataFrame, flag: str, key: Sequence[str]) -> list[tuple[object, ...]]:
    return both.filter(pl.col(flag).is_null()).select(key).rows()


def _equal(here: str, there: str, kind: pl.DataType, slack: float) -> pl.Expr:
    if kind.is_float():
        near = (pl.col(here) - pl.col(there)).abs() <= slack * pl.max_horizontal(1, pl.col(here).abs())
        return (pl.col(here).is_null() & pl.col(there).is_null()) | near.fill_null(value=False)
    return pl.col(here).eq_missing(pl.col(there))
