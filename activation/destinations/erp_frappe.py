"""ERPNext over its REST interface: draft by POST, effect by PUT ``docstatus: 1``, read back by GET.

Where the connection declares one step (``two_step: false``), the POST carries ``docstatus: 1`` and takes effect at once.
The custom field ``custom_waybill_key`` carries the idempotency key; where it is unique, the connection
declares ``enforces_uniqueness``. What the documents say in ERPNext's words: ``frappe_invoices``, ``frappe_deliveries``,
``frappe_issues``; an issue is no draft at first, and changed by PUT.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from activation.destinations import frappe_deliveries, frappe_invoices, frappe_issues
from activation.destinations.base import PostedInvoice, RefusedError
from activation.destinations.frappe_kind import KEY, Kind
from activation.destinations.frappe_rest import FrappeRest
from contracts.outbound import OutboundDocument
from core.connections import Connection
from core.flows import EXCEPTION_ALERT, FULFILMENT

_PAGE = 500
_OWN = {
    FULFILMENT.operation: frappe_deliveries.DELIVERIES,
    EXCEPTION_ALERT.operation: frappe_issues.ISSUES,
}
"""Operation → its kind of document, of those that write no invoice."""


class FrappeDestination:
    """One ERPNext site and one kind of its documents. Safe to share between threads."""

    def __init__(
        self,
        connection: Connection,
        kind: Kind = frappe_invoices.INVOICES,
        rest: FrappeRest | None = None,
    ) -> None:
        self._zone, self._kind = connection.time_zone, kind
        self._asked = json.dumps(kind.fields)
        self._is_two_step = kind.change is None and (
            connection.destination is None or connection.destination.two_step
        )
        self._rest = rest or FrappeRest(connection)
        self._made: dict[str, Any] = {}
        """Draft → the version in which it was made."""
        own = {} if rest is not None else _OWN
        self._others = {each: FrappeDestination(connection, its, self._rest) for each, its in own.items()}

    def of(self, operation: str) -> FrappeDestination:
        return self._others.get(operation, self)

    def look_up(self, idempotency_key: str) -> list[PostedInvoice]:
        return self._having(KEY, "=", idempotency_key)

    def look_up_all(self, idempotency_keys: Sequence[str]) -> dict[str, list[PostedInvoice]]:
        found: dict[str, list[PostedInvoice]] = {key: [] for key in idempotency_keys}
        for each in self._having(KEY, "in", list(idempotency_keys)):
            found.setdefault(each.idempotency_key, []).append(each)
        return found

    def list_keyed(self, since: date | None) -> Iterator[PostedInvoice]:
        # From the last name on, not by page number: what is written meanwhile moves no page.
        wanted: list[list[str]] = [[KEY, "is", "set"]]
        wanted += [["posting_date", ">=", since.isoformat()]] if since else []
        after: list[list[str]] = []
        while True:
            asked = self._rest.listed(
                self._kind.doctype,
                filters=json.dumps(wanted + after),
                fields=self._asked,
                order_by="name asc",
                limit_page_length=str(_PAGE),
            )
            page = [self._invoice(each) for each in asked]
            yield from page
            if len(page) < _PAGE:
                return
            after = [["name", ">", page[-1].erp_id]]

    def create(self, document: OutboundDocument) -> str:
        body = self._kind.body(document)
        is_posted = not self._is_two_step and self._kind.change is None
        made = self._rest.create(self._kind.doctype, body | {"docstatus": 1} if is_posted else body)
        name = made.get("name")
        if not name:
            raise self._rest.unreadable()
        if self._is_two_step:
            self._made[str(name)] = made.get("modified")
        return str(name)

    def post(self, erp_id: str, document: OutboundDocument) -> None:
        if self._kind.change is not None:
            # Of a request that arrives late another version is there by then: it is refused, and undoes no later revision.
            version = self._rest.one(self._kind.doctype, erp_id).get("modified")
            change = self._kind.change(document) | {"modified": version}
            self._rest.change(self._kind.doctype, erp_id, change)
            return
        # ERPNext refuses a submit that does not name the version it was made from. Of a draft made a moment ago that is
        # known; if somebody changed it since, it is asked for like that of any other.
        made = self._made.pop(erp_id, None)
        if made is not None:
            with suppress(RefusedError):
                self._submit(erp_id, made)
                return
        current = self._rest.one(self._kind.doctype, erp_id)
        if current.get("docstatus") != 1:
            self._submit(erp_id, current.get("modified"))

    def read_back(self, erp_id: str) -> PostedInvoice:
        return self._invoice(self._rest.one(self._kind.doctype, erp_id))

    def read_back_all(self, erp_ids: Sequence[str]) -> dict[str, PostedInvoice]:
        return {each.erp_id: each for each in self._having("name", "in", list(erp_ids))}

    def close(self) -> None:
        self._rest.close()

    def _having(self, field: str, operator: str, value: str | list[str]) -> list[PostedInvoice]:
        wanted = json.dumps([[field, operator, value]])
        found = self._rest.listed(
            self._kind.doctype, filters=wanted, fields=self._asked, limit_page_length="0"
        )
        return [self._invoice(each) for each in found]

    def _submit(self, erp_id: str, version: Any) -> None:
        self._rest.change(self._kind.doctype, erp_id, {"docstatus": 1, "modified": version})

    def _invoice(self, data: Mapping[str, Any]) -> PostedInvoice:
        try:
            return self._kind.read(data, self._zone)
        except (KeyError, ValueError, TypeError, ArithmeticError) as error:
            raise self._rest.unreadable() from error
