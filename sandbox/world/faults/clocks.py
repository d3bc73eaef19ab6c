"""Clocks that are wrong, or that show one hour twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sandbox.world.faults.registry import kind
from sandbox.world.model import Case
from sandbox.world.moments import NOW

_SHOWN_TWICE = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
"""Half past two in the night in which the ERP's site turns its clocks back."""


def _ahead(case: Case) -> None:
    case.shipment.pods[0].captured = NOW + timedelta(days=2)


def _at_night(case: Case) -> None:
    """Typed in long before the confirmation, so that only this one time is in doubt."""
    case.order.ordered = _SHOWN_TWICE


kind(name="captured in the future", system="pod", codes=("POD_IN_FUTURE",), after=_ahead)
kind(name="ordered in the hour shown twice", system="erp", warns=("TIME_AMBIGUOUS",), prepare=_at_night)
