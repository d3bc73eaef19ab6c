"""A published number, as it leaves through the API: the columns of ``kpi_values``, and what it can be cut by."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Grain = Literal["day", "week", "month", "all"]
Dimension = Literal[
    "all",
    "company",
    "customer",
    "depot",
    "region",
    "carrier",
    "connection",
    "severity",
    "made_by",
    "age_days",
]


class KpiValue(BaseModel):
    """One number: a metric in one variant, of one period, over everything or for one value of a dimension."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str = Field(description="name of the metric; docs/metrics.md defines each")
    variant: str = Field(description="promise kind, horizon, working hours, or default")
    grain: Grain = Field(description="length of the period; all = one number over everything")
    period_start: date | None = Field(description="first local day of the period; null for all")
    dimension: Dimension = Field(description="what it is cut by; all = the total")
    dimension_value: str = Field(description="value of the dimension; all = the total")
    unit: str = Field(description="s, ratio or amount, or what the metric says")
    currency: str | None = Field(description="ISO 4217 code of an amount")
    n: int | None = Field(description="rows that count")
    numerator: int | None = Field(description="what a rate counts")
    denominator: int | None = Field(description="what a rate is over")
    value: Decimal | None = Field(description="median, rate or sum, as text so that no digit is lost")
    p50: float | None = Field(description="median, an observed row")
    p90: float | None = Field(description="90th percentile; null under 20 rows")
    p95: float | None = Field(description="95th percentile; null under 20 rows")
    n_open: int | None = Field(description="begun and not ended")
    n_negative: int | None = Field(description="ended before they began: a defect")
    n_excluded: int | None = Field(description="cannot be judged")
    as_of: AwareDatetime | None = Field(description="the sources' own now of these numbers")


class KpiPage(BaseModel):
    """Published numbers in a stable order. ``next_offset`` is where to go on; null at the end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: tuple[KpiValue, ...]
    next_offset: int | None
