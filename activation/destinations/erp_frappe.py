"""ERPNext over its REST interface: draft by POST, effect by PUT ``docstatus: 1``, read back by GET.

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

import httpx

from activation.destinations.base import (
    NotAppliedError,
    PostedInvoice,
    RefusedError,
    UncertainError,
)
from contracts.invoice import CreditNoteDocument, InvoiceDocument
from core.clock import localize
from core.connections import Connection
from core.errors import ConfigurationError
from core.settings import secret

DOCTYPE = "Sales Invoice"
_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
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
_KEY = "custom_waybill_key"
_PAGE = 500
_HTTP_TOO_MANY, _HTTP_UNAVAILABLE = 429, 503


class FrappeDestination:
    """One ERPNext site. Safe to share between threads."""

    def __init__(self, connection: Connection) -> None:
        if connection.base_url is None:
            raise ConfigurationError(
                f"{connection.connection} has no base_url.", remedy="Add the site's address to its file."
            )
        self._name = connection.connection
        self._zone = connection.time_zone
        self._made: dict[str, Any] = {}
        """Draft → the version in which it was made."""
        key = secret(connection.secrets["api_key"]).get_secret_value()
        password = secret(connection.secrets["api_secret"]).get_secret_value()
        self._client = httpx.Client(
            base_url=connection.base_url,
            headers={"Authorization": f"token {key}:{password}", "Accept": "application/json"},
            timeout=_TIMEOUT,
            follow_redirects=False,
        )

    def look_up(self, idempotency_key: str) -> list[PostedInvoice]:
        return self._with_key("=", idempotency_key)

    def look_up_all(self, idempotency_keys: Sequence[str]) -> dict[str, list[PostedInvoice]]:
        found: dict[str, list[PostedInvoice]] = {key: [] for key in idempotency_keys}
        for each in self._with_key("in", list(idempotency_keys)):
            found.setdefault(each.idempotency_key, []).append(each)
        return found

    def list_keyed(self, since: date | None) -> Iterator[PostedInvoice]:
        # From the last name on, not by page number: what is written meanwhile moves no page.
        wanted: list[list[str]] = [["custom_waybill_key", "is", "set"]]
        wanted += [["posting_date", ">=", since.isoformat()]] if since else []
        after: list[list[str]] = []
        while True:
            answer = self._call(
                "GET",
                f"/api/resource/{DOCTYPE}",
                params={
                    "filters": json.dumps(wanted + after),
                    "fields": json.dumps(_FIELDS),
                    "order_by": "name asc",
                    "limit_page_length": str(_PAGE),
                },
            )
            page = [self._invoice(each) for each in self._typed(answer, list)]
            yield from page
            if len(page) < _PAGE:
                return
            after = [["name", ">", page[-1].erp_id]]

    def create_draft(self, document: InvoiceDocument) -> str:
        answer = self._call("POST", f"/api/resource/{DOCTYPE}", body=_body(document))
        made = self._typed(answer, dict)
        name = made.get("name")
        if not name:
            raise self._unreadable()
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
        current = self._typed(self._call("GET", f"/api/resource/{DOCTYPE}/{erp_id}"), dict)
        if current.get("docstatus") != 1:
            self._submit(erp_id, current.get("modified"))

    def read_back(self, erp_id: str) -> PostedInvoice:
        return self._invoice(self._call("GET", f"/api/resource/{DOCTYPE}/{erp_id}"))

    def close(self) -> None:
        self._client.close()

    def _with_key(self, operator: str, value: str | list[str]) -> list[PostedInvoice]:
        answer = self._call(
            "GET",
            f"/api/resource/{DOCTYPE}",
            params={
                "filters": json.dumps([[_KEY, operator, value]]),
                "fields": json.dumps(_FIELDS),
                "limit_page_length": "0",
            },
        )
        return [self._invoice(each) for each in self._typed(answer, list)]

    def _submit(self, erp_id: str, version: Any) -> None:
        self._call("PUT", f"/api/resource/{DOCTYPE}/{erp_id}", body={"docstatus": 1, "modified": version})

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """The ``data`` of one answer, or the one error that says what is certain."""
        try:
            response = self._client.request(method, path, params=params, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotAppliedError(
                f"{self._name} does not accept connections: {error}.",
                remedy="Check that the ERP is up; the push goes on by itself.",
            ) from error
        except httpx.HTTPError as error:
            raise UncertainError(
                f"{self._name} gave no answer to {method}: {type(error).__name__}.",
                remedy="Nothing: the next push looks the invoice up before it sends anything.",
            ) from error
        return self._read(method, response)

    def _read(self, method: str, response: httpx.Response) -> Any:
        status = response.status_code
        if status in {_HTTP_TOO_MANY, _HTTP_UNAVAILABLE}:
            raise NotAppliedError(
                f"{self._name} answers {status}: it wants fewer calls.",
                remedy="Nothing: the push waits as long as it was told.",
                retry_after_s=_seconds(response.headers.get("Retry-After")),
            )
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise NotAppliedError(
                f"{self._name} refuses our credentials ({status}).",
                remedy="Check the API key and the rights of its user on Sales Invoice.",
            )
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise UncertainError(
                f"{self._name} answers {status} to {method}.",
                remedy="Look at the ERP's error log; the next push looks the invoice up first.",
            )
        if status >= httpx.codes.MULTIPLE_CHOICES:
            raise RefusedError(
                f"{self._name} refuses {method}: {status} {_reason(response)}",
                remedy="Correct the master data that the ERP names, then let the gate decide again.",
            )
        try:
            return json.loads(response.content, parse_float=Decimal)["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._unreadable() from error

    def _unreadable(self) -> UncertainError:
        return UncertainError(
            f"{self._name} answers with something that is not its own JSON.",
            remedy="Check that no proxy or login page stands between us and the ERP.",
        )

    def _typed(self, answer: Any, expected: type) -> Any:
        if not isinstance(answer, expected):
            raise self._unreadable()
        return answer

    def _invoice(self, data: Any) -> PostedInvoice:
        try:
            return self._mapped(self._typed(data, dict))
        except (KeyError, ValueError, TypeError, ArithmeticError) as error:
            raise self._unreadable() from error

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


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdigit() else None


def _reason(response: httpx.Response) -> str:
    """ERPNext's own words, without its stack trace."""
    try:
        told = response.json()
    except ValueError:
        return "(no reason given)"
    return str(told.get("exception") or told.get("message") or told.get("exc_type") or "")[:300]
