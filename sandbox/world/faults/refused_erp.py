"""ERP documents that are told twice, or that nothing can be made of."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sandbox.world.dialects import frappe
from sandbox.world.faults.outcomes import Outcomes
from sandbox.world.faults.registry import kind
from sandbox.world.model import Case, World
from sandbox.world.moments import NOW, START
from sandbox.world.store import Body, Documents

ORDERS, LINES, CUSTOMERS = "sandbox_erp.orders", "sandbox_erp.order_lines", "sandbox_erp.customers"
_AT = NOW - timedelta(hours=3)
_MARK = "@number"

_NO_ID: tuple[tuple[str, Any, str], ...] = (
    ("NUL in an id", "SO-ZZ\x00", "ID_INVALID"),
    ("lone surrogate in an id", "SO-ZZ\ud800", "ID_INVALID"),
    ("zero-width space in an id", "SO-ZZ\u200b", "ID_INVALID"),
    ("right-to-left override in an id", "SO-ZZ\u202e", "ID_INVALID"),
    ("id with leading zeros sent as a number", 4711, "ID_INVALID"),
    ("no id", None, "FIELD_MISSING"),
)
_NUMBERS = (("amount 1e309", "1e309"), ("amount with thousands' points", '"1.234,56"'))


def stray_order(name: Any, customer: str, ordered: datetime = _AT, **changes: Any) -> Body:
    """An order without lines that dispatch never hears of."""
    return {
        **frappe.head(name, ordered, ordered),
        "customer": customer,
        "company": "WBDE",
        "currency": "EUR",
        "status": "Draft",
        "custom_promise_precision": "timestamp",
        "net_total": 0.0,
        "total_taxes_and_charges": 0.0,
        "grand_total": 0.0,
        "items": [],
        **changes,
    }


def stray_line(order: str, number: int | str = 1) -> Body:
    """One piece of the first item, for nothing."""
    return {
        "name": f"{order}-L1",
        "idx": number,
        "item_code": "ITEM-01",
        "qty": 1,
        "uom": "Nos",
        "rate": 0.0,
        "amount": 0.0,
        "custom_is_return": 0,
    }


def plant(world: World, documents: Documents, outcomes: Outcomes) -> None:
    customer = world.customers[0].id
    _twice(world, documents, outcomes)
    for number, (fault, name, reason) in enumerate(_NO_ID, 1):
        documents.stray("erp", "Sales Order", f"SO-ZZ-I{number}", _AT, stray_order(name, customer))
        outcomes.refused(ORDERS, None if name is None else str(name), reason, fault)
    for number, (fault, written) in enumerate(_NUMBERS, 1):
        name = f"SO-ZZ-N{number}"
        body = stray_order(name, customer, grand_total=_MARK)
        documents.stray("erp", "Sales Order", name, _AT, body, _with(body, written))
        outcomes.refused(ORDERS, name, "AMOUNT_INVALID", fault)
    _huge_number(documents, outcomes, customer)
    name = "CUST-ZZ-1"
    body = {**frappe.head(name, START, START), "customer_name": "Nobody", "disabled": "false"}
    documents.stray("erp", "Customer", name, _AT, body | {"credit_limits": []})
    outcomes.refused(CUSTOMERS, name, "FIELD_INVALID", "a flag as the text false")


def _huge_number(documents: Documents, outcomes: Outcomes, customer: str) -> None:
    """On a line, which is refused, of an order that is refused for its currency."""
    name = "SO-ZZ-L1"
    body = stray_order(name, customer, currency="euro", items=[stray_line(name, _MARK)])
    documents.stray("erp", "Sales Order", name, _AT, body, _with(body, str(2**63)))
    outcomes.refused(ORDERS, name, "CURRENCY_INVALID", "currency in small letters")
    outcomes.refused(LINES, f"{name}-L1", "FIELD_INVALID", "whole number above 2^63")


def _with(body: Body, written: str) -> str:
    return json.dumps(body).replace(json.dumps(_MARK), written)


def _twice(world: World, documents: Documents, outcomes: Outcomes) -> None:
    """Each second copy shows the order's lines a second time too."""
    same, older = [
        order.id for order in world.orders if not order.fault and order.confirmed < NOW - timedelta(days=2)
    ][:2]
    body = documents.again("erp", "Sales Order", same)
    outcomes.repeated(ORDERS, same, "the same order twice")
    for line in body["items"]:
        outcomes.repeated(LINES, line["name"], "the same order twice")
    body = documents.again("erp", "Sales Order", older, _as_drafted)
    outcomes.older(ORDERS, older, "an older version after the newer one")
    for line in body["items"]:
        outcomes.older(LINES, line["name"], "an older version after the newer one")
    for case in world.cases:
        if case.kind is _CONTRADICTED:
            body = documents.again(
                "erp", "Sales Order", case.order.id, lambda body: body.update(po_no="PO-2")
            )
            for line in body["items"]:
                outcomes.repeated(LINES, line["name"], case.kind.name)


def _as_drafted(body: Body) -> None:
    body |= {"modified": body["creation"], "status": "Draft", "po_no": "PO-OLD", "docstatus": 0}


def _more_lines(*, is_return: bool) -> Callable[[Case, Documents], None]:
    """One more line over nothing at all, so that it changes no sum."""

    def patch(case: Case, documents: Documents) -> None:
        def change(body: Body) -> None:
            first = body["items"][0]
            more = {"name": f"{body['name']}-L9", "idx": 9, "qty": -1, "rate": 0.0, "price_list_rate": 0.0}
            more |= {"amount": 0.0, "custom_is_return": int(is_return)}
            body["items"].append(first | more)

        documents.edit("erp", "Sales Order", case.order.id, change)

    return patch


def _in_yen(case: Case, documents: Documents) -> None:
    def change(body: Body) -> None:
        body |= {"currency": "JPY", "total_taxes_and_charges": 10.5}

    documents.edit("erp", "Sales Order", case.order.id, change)


_CONTRADICTED = kind(
    name="one version with two contents",
    system="erp",
    codes=("MASTER_DATA_CONFLICT",),
    letter=("sandbox_erp", "orders", "VERSION_CONFLICT"),
    letter_count=2,
)
kind(
    name="JPY 10.50",
    system="erp",
    codes=("CONTRACT_BROKEN",),
    letter=("sandbox_erp", "orders", "AMOUNT_INVALID"),
    patch=_in_yen,
)
kind(
    name="negative quantity that is no return",
    system="erp",
    codes=("CONTRACT_BROKEN",),
    letter=("sandbox_erp", "order_lines", "QUANTITY_SIGN"),
    patch=_more_lines(is_return=False),
)
kind(name="return with a negative quantity", system="erp", patch=_more_lines(is_return=True))
