"""The frame that the suite judges: candidates, facts and measures side by side, as a pandas table.

To which rows a rule applies is written in ``frame_scopes.sql``, what it measures in ``frame_measures.sql``, in exact
decimals; this module only runs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from contracts.base import ZERO_DECIMAL_CURRENCIES
from core.settings import ROOT
from quality.memory import in_memory
from quality.policy import Policy

if TYPE_CHECKING:
    import pandas as pd

SCOPES = ROOT / "quality" / "frame_scopes.sql"
MEASURES = ROOT / "quality" / "frame_measures.sql"


def build(candidates: pa.Table, facts: pa.Table, policy: Policy) -> pa.Table:
    """Contract columns, facts, scopes and measures; one row per candidate, in order."""
    terms = policy.tolerances
    with in_memory() as connection:
        connection.register("candidates", candidates)
        connection.register("facts", facts)
        connection.execute(
            f"CREATE TEMP TABLE scopes AS {SCOPES.read_text(encoding='utf-8')}",
            {"zero_decimal": sorted(ZERO_DECIMAL_CURRENCIES)},
        )
        frame: pa.Table = connection.execute(
            MEASURES.read_text(encoding="utf-8"),
            {
                "pod_future_s": terms.pod_future_s,
                "pod_distance_m": terms.pod_distance_m,
                "price_amount": terms.price_amount,
                "price_percent": terms.price_percent,
                "order_rounding_amount": terms.order_rounding_amount,
                "fx_rate_age_days": terms.fx_rate_age_days,
            },
        ).to_arrow_table()
    return frame


def for_suite(frame: pa.Table, columns: set[str]) -> pd.DataFrame:
    """The columns that the suite reads; decimals stay exact as Python objects."""
    kept = [name for name in frame.column_names if name in columns]
    return frame.select(kept).to_pandas(date_as_object=True, timestamp_as_object=False)
