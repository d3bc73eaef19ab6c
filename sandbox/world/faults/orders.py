"""What an order's document can say wrongly."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from sandbox.world.faults.registry import kind
from sandbox.world.model import Case
from sandbox.world.store import Documents

_ORDERS = ("sandbox_erp", "orders")
_LINES = ("sandbox_erp", "order_lines")


def _lines(case: Case, **changes: Any) -> None:
    case.order.lines = [replace(line, **changes) for line in case.order.lines]


def _set(**fields: Any) -> Any:
    def patch(case: Case, documents: Documents) -> None:
        documents.edit("erp", "Sales Order", case.order.id, lambda body: body.update(fields))

    return patch


def _header(cents: str) -> Any:
    def patch(case: Case, documents: Documents) -> None:
        def change(body: dict[str, Any]) -> None:
            for name in ("net_total", "grand_total"):
                body[name] = float(Decimal(str(body[name])) + Decimal(cents))

        documents.edit("erp", "Sales Order", case.order.id, change)

    return patch


def _line(**fields: Any) -> Any:
    def patch(case: Case, documents: Documents) -> None:
        documents.edit("erp", "Sales Order", case.order.id, lambda body: body["items"][0].update(fields))

    return patch


def _cheaper_contract(case: Case, documents: Documents) -> None:
    def change(body: dict[str, Any]) -> None:
        for line in body["items"]:
            line["price_list_rate"] = round(line["rate"] * 0.9, 2)

    documents.edit("erp", "Sales Order", case.order.id, change)


def _france(case: Case) -> None:
    case.order.company = "WBFR"


def _no_rate(case: Case) -> None:
    case.order.currency = case.order.customer.currency = "USD"
    case.order.more |= {"conversion_rate": None, "custom_conversion_date": None}


def _unknown_currency(case: Case) -> None:
    case.order.currency = "XQQ"
    case.order.customer.more["default_currency"] = None


kind(name="header off by 0.50", system="erp", codes=("TOTALS_INCONSISTENT",), patch=_header("0.50"))
kind(name="header off by 0.03", system="erp", codes=("ROUNDING_UNEXPLAINED",), patch=_header("0.03"))
kind(name="price above contract", system="erp", codes=("PRICE_MISMATCH",), patch=_cheaper_contract)
kind(
    name="no tax code",
    system="erp",
    codes=("TAX_CODE_MISSING",),
    prepare=lambda case: _lines(case, tax_code=None),
)
kind(
    name="wrong tax rate",
    system="erp",
    codes=("TAX_RATE_MISMATCH",),
    prepare=lambda case: _lines(case, tax_rate=Decimal("16")),
)
kind(
    name="free of charge",
    system="erp",
    codes=("ZERO_OR_NEGATIVE_TOTAL",),
    prepare=lambda case: _lines(case, price=Decimal(0)),
)
kind(
    name="very large",
    system="erp",
    codes=("VALUE_OVER_LIMIT",),
    prepare=lambda case: _lines(case, price=Decimal(90000)),
)
kind(name="closed books", system="erp", codes=("PERIOD_CLOSED",), prepare=_france)
kind(name="no exchange rate", system="erp", codes=("FX_RATE_MISSING_OR_STALE",), prepare=_no_rate)
kind(name="unknown currency", system="erp", codes=("CURRENCY_UNKNOWN",), prepare=_unknown_currency)
kind(
    name="currency EURO",
    system="erp",
    codes=("CONTRACT_BROKEN",),
    letter=(*_ORDERS, "CURRENCY_INVALID"),
    patch=_set(currency="EURO"),
)
kind(
    name="total far off",
    system="erp",
    codes=("CONTRACT_BROKEN",),
    letter=(*_ORDERS, "TOTAL_MISMATCH"),
    patch=_header("5000"),
)
kind(
    name="total NaN",
    system="erp",
    codes=("CONTRACT_BROKEN",),
    letter=(*_ORDERS, "AMOUNT_INVALID"),
    patch=_set(grand_total=float("nan")),
)
kind(
    name="total infinite",
    system="erp",
    codes=("CONTRACT_BROKEN",),
    letter=(*_ORDERS, "AMOUNT_INVALID"),
    patch=_set(grand_total=float("inf")),
)
kind(
    name="no customer",
    system="erp",
    codes=("CONTRACT_BROKEN",),
    letter=(*_ORDERS, "FIELD_MISSING"),
    patch=_set(customer=None),
)
kind(
    name="unknown status",
    system="erp",
    codes=("CONTRACT_BROKEN",),
    letter=(*_ORDERS, "STATUS_UNKNOWN"),
    patch=_set(status="Halfway"),
)
kind(
    name="confirmed in the gap",
    system="erp",
    codes=("CONTRACT_BROKEN",),
    letter=(*_ORDERS, "TIME_GAP"),
    patch=_set(custom_confirmed_at="2026-03-29 02:30:00.000000"),
)
kind(
    name="confirmed in year 1",
    system="erp",
    codes=("CONTRACT_BROKEN",),
    letter=(*_ORDERS, "TIME_INVALID"),
    patch=_set(custom_confirmed_at="0001-01-01 00:00:00.000000"),
)
