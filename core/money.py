"""Decimal money: minor units of a currency and the one rounding that invoices use."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from contracts.base import ZERO_DECIMAL_CURRENCIES


def minor_units(currency: str) -> int:
    """Decimals an amount in this currency may have on an invoice: 0 or 2 (EN 16931 allows no more)."""
    return 0 if currency in ZERO_DECIMAL_CURRENCIES else 2


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """``amount`` rounded half away from zero to the currency's minor units."""
    return amount.quantize(Decimal(1).scaleb(-minor_units(currency)), rounding=ROUND_HALF_UP)
