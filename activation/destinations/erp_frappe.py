"""ERPNext over its REST interface: draft by POST, effect by PUT ``docstatus: 1``, read back by GET.

Where the connection declares one step (``two_step: false``), the POST carries ``docstatus: 1`` and takes effect at once.
The custom field ``custom_waybill_key`` carries the idempotency key; where it is unique, the connection
declares ``enforces_uniqueness``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from activation.destinations.base import PostedInvoice, RefusedError
from activation.destinations.frappe_rest import FrappeRest
from contracts.invoice import CreditNoteDocument, InvoiceDocument
from core.clock import localize
from core.connections import Connection

DOCTYPE = "Sales Invoice"
_STATUS: dict[int, Literal["draft", "posted", "cancelled"]] = {0: "draft", 1: "posted", 2: "cancelled"}
_FIELDS = (
    *(
        "name",
        "docstatus",
        "company",
        "customer",
        "currency",
        "net_total",
        "total_taxes_and_charges",
        "grand_total",
    ),
    *("posting_date", "custom_posted_at", "custom_waybill_key", "modified", "return_against"),
)
_ASKED = json.dumps(_FIELDS)
_KEY = "custom_waybill_key"
_PAGE = 500


class FrappeDestination:
    """One ERPNext site. Safe to share between threads."""

    def __init__(self, connection: Connection) -> None:
        self._zone = connection.time_zone
        self._is_two_step = connection.destination is None or connection.destination.two_step
        self._rest = FrappeRest(connection)
        self._made: dict[str, Any] = {}
        """Draft → the version in which it was made."""

    def look_up(self, idempotency_key: str) -> list[PostedInvoice]:
        return self._having(_KEY, "=", idempotency_key)

    def look_up_all(self, idempotency_keys: Sequence[str]) -> dict[str, list[PostedInvoice]]:
        found: dict[str, list[PostedInvoice]] = {key: [] for key in idempotency_keys}
        for each in self._having(_KEY, "in", list(idempotency_keys)):
            found.setdefault(each.idempotency_key, []).append(each)
        return found

    def list_keyed(self, since: date | None) -> Iterator[PostedInvoice]:
        # From the last name on, not by page number: what is written meanwhile moves no page.
        wanted: list[list[str]] = [[_KEY, "is", "set"]]
        wanted += [["posting_date", ">=", since.isoformat()]] if since else []
        after: list[list[str]] = []
        while True:
            asked = self._rest.listed(
                DOCTYPE,
                filters=json.dumps(wanted + after),
                fields=_ASKED,
                order_by="name asc",
                limit_page_length=str(_PAGE),
            )
            page = [self._invoice(each) for each in asked]
            yield from page
            if len(page) < _PAGE:
                return
            after = [["name", ">", page[-1].erp_id]]

    def create(self, document: InvoiceDocument) -> str:
        body = _body(document)
        made = self._rest.create(DOCTYPE, body if self._is_two_step else body | {"docstatus": 1})
        name = made.get("name")
        if not name:
            raise self._rest.unreadable()
        if self._is_two_step:
            self._made[str(name)] = made.get("modified")
        return str(name)

    def post(self, erp_id: str) -> None:
        # ERPNext refuses a submit that does not name the version it was made from. Of a draft made a moment ago that is
        # known; if somebody changed it since, it is asked for like that of any other.
        made = self._made.pop(erp_id, None)
        if made is not None:
            with suppress(RefusedError):
                self._submit(erp_id, made)
                return
        current = self._rest.one(DOCTYPE, erp_id)
        if current.get("docstatus") != 1:
            self._submit(erp_id, current.get("modified"))

    def read_back(self, erp_id: str) -> PostedInvoice:
        return self._invoice(self._rest.one(DOCTYPE, erp_id))

    def read_back_all(self, erp_ids: Sequence[str]) -> dict[str, PostedInvoice]:
        return {each.erp_id: each for each in self._having("name", "in", list(erp_ids))}

    def close(self) -> None:
        self._rest.close()

    def _having(self, field: str, operator: str, value: str | list[str]) -> list[PostedInvoice]:
        wanted = json.dumps([[field, operator, value]])
        found = self._rest.listed(DOCTYPE, filters=wanted, fields=_ASKED, limit_page_length="0")
        return [self._invoice(each) for each in found]

    def _submit(self, erp_id: str, version: Any) -> None:
        self._rest.change(DOCTYPE, erp_id, {"docstatus": 1, "modified": version})

    def _invoice(self, data: Mapping[str, Any]) -> PostedInvoice:
        try:
            return self._mapped(data)
        except (KeyError, ValueError, TypeError, ArithmeticError) as error:
            raise self._rest.unreadable() from error

    def _mapped(self, data: Mapping[str, Any]) -> PostedInvoice:
        # A site without our field still tells when a submitted document last changed: when it was posted.
        posted = data.get("custom_posted_at") or (data["modified"] if data["docstatus"] == 1 else None)
        return PostedInvoice(
            erp_id=str(data["name"]),
            status=_STATUS[data["docstatus"]],
            idempotency_key=str(data.get("custom_waybill_key") or ""),
            company_id=str(data["company"]),
            customer_id=str(data["customer"]),
            currency=str(data["currency"]),
            net_total_amount=_amount(data["net_total"]),
            tax_total_amount=_amount(data["total_taxes_and_charges"]),
            grand_total_amount=_amount(data["grand_total"]),
            issue_date=date.fromisoformat(data["posting_date"]) if data.get("posting_date") else None,
            posted_at=localize(datetime.fromisoformat(posted), self._zone)[0] if posted else None,
            credited_erp_id=str(data["return_against"]) if data.get("return_against") else None,
        )


def _body(document: InvoiceDocument) -> dict[str, Any]:
    """The document in ERPNext's words; the ERP computes the totals itself."""
    returned: dict[str, Any] = {}
    if isinstance(document, CreditNoteDocument):
        returned = {"is_return": 1, "return_against": document.credited_erp_id, "remarks": document.reason}
    return {
        **returned,
        "customer": document.customer_id,
        "company": document.company_id,
        "currency": document.currency,
        "posting_date": document.issue_date.isoformat(),
        "set_posting_time": 1,
        "po_no": document.po_no,
        "payment_terms_template": document.payment_terms,
        "custom_sales_order": document.order_no,
        "custom_shipment": document.shipment_no,
        "custom_proof_of_delivery": document.pod_id,
        "custom_waybill_key": document.idempotency_key,
        "items": [
            {
                "item_code": line.item_id,
                "qty": str(line.quantity),
                "uom": line.uom,
                "rate": str(line.net_price),
                "amount": str(line.net_amount),
                "so_detail": line.order_line_id,
                "item_tax_template": line.tax_code,
                "custom_tax_rate": None if line.tax_rate_percent is None else str(line.tax_rate_percent),
                "income_account": line.income_account,
            }
            for line in document.lines
        ],
    }


def _amount(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))
