"""The policy: tolerances, limits and dispositions, read strictly from ``policy.yaml``.

Belongs here: the shape of the file and its refusals. No rule reads the file itself. Who approved it does not stand in it: that is
``state.rulesets``.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from core.connections import read_yaml
from core.errors import ConfigurationError
from core.settings import ROOT
from quality.rule import Disposition
from quality.rules import CODES, UNWEAKENABLE

DEFAULT = ROOT / "quality" / "policy.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tolerances(_Strict):
    """What may differ without a reason. Seconds, metres, amounts in the order's currency, percent, days."""

    pod_future_s: int = Field(ge=0)
    pod_distance_m: int = Field(ge=0)
    price_amount: Decimal = Field(ge=0)
    price_percent: Decimal = Field(ge=0)
    order_rounding_amount: Decimal = Field(ge=0)
    fx_rate_age_days: int = Field(ge=0)


class BatchLimits(_Strict):
    """When a whole batch is out of the ordinary.

    Once ``history_runs`` earlier batches are known, a batch of new candidates is an outlier above
    ``factor`` times their median and above the ``usual_`` floor; the ``max_`` values always hold.
    """

    history_runs: int = Field(ge=1)
    factor: Decimal = Field(gt=1)
    usual_count: int = Field(ge=1)
    usual_amount: Decimal = Field(gt=0)
    max_count: int = Field(ge=1)
    max_amount: Decimal = Field(gt=0)


class Policy(_Strict):
    """``invoice_limit_amount`` per currency: above it, or without one, a second person approves."""

    policy_version: str = Field(min_length=1)
    tolerances: Tolerances
    invoice_limit_amount: dict[str, Decimal]
    batch: BatchLimits
    dispositions: dict[str, Disposition] = Field(default_factory=dict)

    @field_validator("invoice_limit_amount")
    @classmethod
    def _currencies(cls, limits: dict[str, Decimal]) -> dict[str, Decimal]:
        for currency, limit in limits.items():
            if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
                raise ValueError(f"a currency code of three capitals, not {currency!r}")
            if not limit.is_finite() or limit <= 0:
                raise ValueError(f"a limit above 0 for {currency}")
        return limits

    @field_validator("dispositions")
    @classmethod
    def _codes(cls, changed: dict[str, Disposition]) -> dict[str, Disposition]:
        for code, disposition in changed.items():
            if code not in CODES:
                raise ValueError(f"only codes of the gate; {code!r} is none")
            if code in UNWEAKENABLE and disposition == "WARN":
                raise ValueError(f"{code} to stay blocking: without it a pass would prove nothing")
        return changed


def load_policy(path: Path = DEFAULT) -> Policy:
    """The policy file; ConfigurationError names file, line, field, what was expected and found."""
    try:
        return read_yaml(path, Policy)
    except ConfigurationError as error:
        raise ConfigurationError(
            error.message, remedy="Correct the policy; quality/policy.py lists its fields."
        ) from error
